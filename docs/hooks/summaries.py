"""Title and summary of each paper's page."""

from __future__ import annotations

INTRODUCTION = """
Seven papers are experiments of `infoflow reproduce` (package `infoflow-reproductions`), each at three scales
(`smoke`, `cpu`, `full`). The verdicts follow by rule from 95 % intervals over seeds. At `cpu` scale, networks and
data are smaller than in the papers ("reduced scale"): orderings and trends are judged, single figures are not.

- **reproduced**: the claim or figure of the paper holds here.
- **differs**: the opposite holds, or the figure is outside its tolerance.
- **inconclusive**: the interval contains both.
"""

PAPERS = {
    "milc": (
        "Classifiers trained by mutual information",
        "Yi et al. (2022) train a classifier to maximize the mutual information of its prediction and the "
        "label. The published advantage over cross-entropy is reproduced at the settings of the paper. It "
        "shrinks when the baseline is tuned as well: with both tuned on held-out images no significant gain "
        "remains (−0.14 points, 95 % CI −0.49 to 0.20). On small CIFAR-10 images the loss is below "
        "cross-entropy in every network, which three seeds leave inconclusive.",
    ),
    "ifm": (
        "Information flow maximization",
        "Shen, Li and Liu (2019) add mutual information between layers to the loss, so that a classifier does "
        "not ignore a cue. As published, the method does not remove the shortcut at our scale. The exchange "
        "of statistics between images does most of it, and the flow term adds no significant improvement. No "
        "baseline retains both cues.",
    ),
    "dim": (
        "Deep InfoMax",
        "Hjelm et al. (2019) learn a representation by maximizing its mutual information with the input. With "
        "10,000 images and six epochs, a perceptron on Y is right in about 48 % with the local objective, 43 "
        "% with a variational autoencoder and 32 % with a random encoder. The global objective is no better "
        "than the random encoder at the paper's weight of the prior.",
    ),
    "information-dropout": (
        "Information dropout",
        "Achille and Soatto (2018) learn the noise of every unit. Information dropout has a lower error than "
        "binary dropout. With β > 0 the nats concentrate on the digit in cluttered images, the occluder is "
        "ignored while the task is not, and total correlation falls. There is no significant difference from "
        "training without dropout.",
    ),
    "information-plane": (
        "Information planes",
        "Geiger (2021) reviews sixteen analyses of the information plane. Whether a layer compresses often "
        "depends on the bin width or the bandwidth, and seldom on whether training or test inputs are "
        "measured. Layers that are saturated, or whose estimates contradict each other, support no verdict.",
    ),
    "learning-is-forgetting": (
        "Language models as lossy compression",
        "Conklin et al. (2026) measure the training of language models by soft entropy. In a small decoder I(X;T) of "
        "soft entropy expands, as published; a held-out probe decodes nearly the same before and after, so most of "
        "the expansion is a change of geometry. No compression follows within 200 steps, and whether the ratio to the "
        "bound improves depends on an invertible linear map of the activations.",
    ),
    "layer-by-layer": (
        "Intermediate layers of language models",
        "Skean et al. (2025) find stronger features in intermediate layers than in the final one. In a small decoder "
        "of six blocks, probed for two tasks of tokens, no intermediate layer is better after training; before "
        "training they are, which makes the untrained model the control to state.",
    ),
}
