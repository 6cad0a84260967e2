"""Where the paper states the claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_CLASSES = (
    "section 4.2, 'Classification comparisons': DIM(L) outperforms all models on all data sets and layers (any margin "
    "counts here)"
)
_LAYERS = (
    "section 4.2, 'Classification comparisons': DIM(L) outperforms all models, whichever layer is used (any margin "
    "counts here)"
)
_TERMS = (
    "section 4.2, 'Extended comparisons': local and global terms together score very high (101.65 is the highest MINE "
    "estimate of Table 3; any margin counts here); appendix A.4: a combination of α and β yielded higher MINE estimates"
)
_TABLE1 = (
    ("Donsker", "sections 2 and 3.1: Jensen–Shannon gives better results than the KL-based objective"),
    ("InfoNCE is above DIM(L) JSD", "appendix A.2: with many negatives NCE outperforms JSD on many tasks; Table 1"),
    ("competitive", "caption of Table 1: DIM(G) is competitive with some models across tasks"),
    ("approaches", "caption of Table 1: DIM(L) approaches or surpasses a supervised classifier"),
    ("is above DIM(G)", "caption of Table 1: DIM(G) falls short of generative models and DIM(L) on CIFAR-100"),
    ("on conv", _LAYERS),
    ("on fc", _LAYERS),
    ("", _CLASSES),
)
_TABLE4 = (
    ("more on Y than on conv", "caption of Table 4: particularly with the highly compressed global features"),
    ("", "section 4.3: these additions improve classification results; Table 4"),
)
_OTHER_DATA = "on Tiny ImageNet, in whose place reduced scales have enlarged images of CIFAR-10"

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "table1": tuple(one for one in _TABLE1 if "CIFAR-100" not in one[1]),
    "table1-cifar100": _TABLE1,
    "table2": (
        ("approaches", f"caption of Table 2: DIM(L) approaches a supervised classifier {_OTHER_DATA}"),
        ("on conv", _LAYERS),
        ("on fc", _LAYERS),
        ("", f"caption of Table 2: the local objective outperforms all others (any margin counts here) {_OTHER_DATA}"),
    ),
    "table2-stl10": (
        ("approaches", "section 4.2: DIM(L) performs as well as or outperforms a fully supervised classifier"),
        ("on conv", _LAYERS),
        ("on fc", _LAYERS),
        ("fine-tuning", "Table 2, column SS: 76.96 for DIM(L) against 51.36 to 74.77 for the others"),
        ("", _CLASSES),
    ),
    "table3": (
        ("linear classifier", "Table 3, SVM (Y)"),
        ("score above DIM(G)", f"{_TERMS}; γ is 0.1 for DIM(L+G) and 1 for DIM(G)"),
        ("combined terms", _TERMS),
        (
            "the global objective DIM(G) reconstructs",
            "section 1: global MI plays a stronger role in the ability to reconstruct the full input; γ is 1 for "
            "DIM(G) and 0.1 for DIM(L)",
        ),
        (
            "small amount of β",
            "appendix A.4: a small amount of β improves reconstruction; besides β = 0.1, DIM(L+G) has α = 0.5 and "
            "γ = 0.1, DIM(G) α = 1 and γ = 1",
        ),
        ("MS-SSIM", "section 4.2, 'Extended comparisons': MS-SSIM correlates (the paper: well) with MINE's estimate"),
        (
            "than BiGAN",
            "section 4.2, 'Extended comparisons': all models showed lower dependence than BiGAN (the paper: much "
            "lower; any margin counts here)",
        ),
        ("reconstruction", "section 4.2, 'Extended comparisons': VAE and AAE have high scores"),
    ),
    "table4": _TABLE4,
    "table4-cifar100": _TABLE4,
    "ablation": (
        ("local term", "appendix A.4: good classification depends highly on the local term"),
        ("small amount of α", "appendix A.4: a small amount of α helps in classification accuracy"),
        ("prior term", "appendix A.4, 'The effect of the prior': a small amount of it helps classification"),
    ),
    "negatives": (
        ("insensitive", "caption of Figure 8: JSD is relatively insensitive to the number of negatives"),
        ("loses more", "caption of Figure 8: JSD is relatively insensitive, while NCE declines, with fewer negatives"),
        ("few negatives", "section 3.1: JSD outperforms NCE as the number of negatives becomes smaller"),
        ("", "caption of Figure 8: NCE declines as the number of negatives falls"),
    ),
    "generator": (
        ("does not surpass", "appendix A.9, text on Table 10: the method did not surpass NS-GAN-CP or WGAN-GP"),
    ),
    "ablation-maps": (
        ("by MINE", "appendix A.4: a combination of α and β yielded higher MINE estimates"),
        ("local term alone", "appendix A.4: good classification depends highly on the local term"),
        ("global term alone", "appendix A.4: good reconstruction depends highly on the global term"),
        ("small amount of α", "appendix A.4: a small amount of α helps in classification accuracy"),
        ("small amount of β", "appendix A.4: a small amount of β improves reconstruction"),
        ("NDM", "appendix A.4, 'The effect of the prior': γ is necessary for low dependence as measured by NDM"),
    ),
    "neighbors": (
        ("many", "appendix A.3: many of the nearest neighbors share patterns but not class"),
        ("", "caption of Figure 7: the neighbors from DIM(L) are much more interpretable"),
    ),
    "occlusion": (
        ("", "caption of Figure 13: the loss tends to be highest where receptive fields overlap the occluded region"),
    ),
    "table10": (
        ("does not surpass", "appendix A.9, text on Table 10: the method did not surpass NS-GAN-CP or WGAN-GP"),
        ("", "appendix A.9, text on Table 10: the method came reasonably close"),
    ),
    "ndm": (
        ("is similar", "appendix A.5: β = 0.5 and β = 1.0 give similar numbers"),
        ("is consistent", "appendix A.5: the variance over estimates and models is relatively low"),
        ("", "appendix A.5: a downward trend of NDM as β rises (the paper: strong; any margin counts here)"),
    ),
    "choices": (
        (
            "local objective",
            "appendix A.1: for the local objectives, the next-to-last layer worked best for CIFAR (judged against the "
            "last layer alone)",
        ),
        ("global objective", "appendix A.1: the global objective was insensitive to the layer"),
        ("positives", "appendix A.2: excluding positives gave Jensen–Shannon 1 to 2 % of accuracy"),
    ),
    "priors": (("", "section 4.2: a uniform prior worked better in practice than Gaussian, unit ball or unit sphere"),),
}
"""Experiment -> parts of claims and the places of their sentences."""
