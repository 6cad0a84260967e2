"""What the reproductions of a paper found, in sentences whose numbers come from the stored results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from infoflow_reproductions.harness.findings import FAILED, Verdict
from infoflow_reproductions.harness.found import CHANGE, Found

Paragraph = Callable[[Found], str]
"""Makes the paragraph of a paper."""

NEAR_PUBLISHED = "cifar-cpu-published"
"""Folder of the experiment with networks of MILC's Table 3 near their size."""

OUTPERFORMS = "mutual information learning outperforms cross-entropy"
"""Part of MILC's claims at the paper's learning rate and λ."""

FLOW_NEAR_PUBLISHED = "table3-cpu-published"
"""Folder of the experiment with the images and the network of the flow's Table 3 at their size."""

_FLOW_GAIN = "IFM as published recognizes the digit better than cross-entropy alone, epoch chosen by the"
FLOW_BY_DIGIT, _FLOW_BY_TEXTURE = f"{_FLOW_GAIN} digit", f"{_FLOW_GAIN} texture"
"""Parts of the claims on the flow's gain in digit accuracy at the selected epochs."""


def milc(found: Found) -> str:
    """Return the paragraph on mutual information learned classifiers."""
    chosen = "with learning rate and λ chosen"
    near = [
        _near_published(found, NEAR_PUBLISHED, name)
        for name in (found.setting(NEAR_PUBLISHED, "networks") if found.has(NEAR_PUBLISHED) else ())
    ]
    return (
        "Cross-entropy plus λ times the divergence of the batch's mean prediction from its label frequencies. "
        "Differences are in points of test accuracy against cross-entropy. At the paper's learning rate of 0.001 and "
        f"λ = 50 the difference is {found.outcome('mnist', OUTPERFORMS)} for a perceptron on MNIST and "
        f"{found.outcome('mnist-cnn', OUTPERFORMS)} for a convolutional network on "
        f"{found.setting('mnist-cnn', 'size'):,} images of MNIST. With the settings of both losses chosen on the same "
        f"held-out images it is {found.outcome('mnist', chosen)} for the perceptron "
        f"({choices(found, 'mnist', 'mlp')}) and {found.outcome('mnist-cnn', chosen)} for the convolutional network "
        f"({choices(found, 'mnist-cnn', 'cnn')}). On small "
        "images of CIFAR-10 and small networks, with settings chosen in the same way "
        f"({choices(found, 'cifar', 'mlp')}), it is {found.outcome('cifar', f'mlp: {chosen}')} for a perceptron and "
        f"{found.outcome('cifar', f'cnn: {chosen}')} for a convolutional network.{''.join(near)} The bound on the "
        "error of Theorem 10 needs a correction for unbalanced classes, which `infoflow.theory` contains."
        + found.earlier("mnist", "mnist-cnn", "cifar")
    )


def _near_published(found: Found, experiment: str, network: str) -> str:
    """Return a sentence on a network of Table 3 near its published size."""
    ours, other = (
        f"{found.figure(experiment, what, '.1%')}, published {found.published(experiment, what, '.1%')}".replace(
            "%", " %"
        )
        for what in (f"{network}: mutual information, λ = 50", f"{network}: cross-entropy")
    )
    chosen = f"{network}: with learning rate and λ chosen"
    likewise = "; whether a chosen learning rate of cross-entropy explains it has not been run at this size"
    if found.has(experiment, chosen):
        of = choices(found, experiment, network)
        likewise = (
            f", and {found.outcome(experiment, chosen)} with the settings of both losses chosen on held-out images "
            f"({of})"
        )
    epochs, seeds = found.setting(experiment, "epochs"), found.seeds(experiment)
    return (
        f" Near the published size ({network}, {epochs} epochs on whole images of CIFAR-10, {seeds}) the difference is "
        f"{found.outcome(experiment, f'{network}: at the paper')} at the paper's learning rate and λ ({ours}, against "
        f"{other}){likewise}."
    )


def choices(found: Found, experiment: str, network: str) -> str:
    """Return among what the settings of both losses were chosen, from the figures of an experiment.

    Parameters
    ----------
    found
        Results of the paper on mutual information learned classifiers.
    experiment
        Name of the experiment.
    network
        Name of the network.

    Returns
    -------
    str
        Learning rates of cross-entropy and, by the number of their learning rates, the values of λ.
    """
    rates: dict[str, set[str]] = {}
    for what in found.figures(experiment):
        if match := re.match(rf"{network}, plain: (?:cross-entropy|.*λ = (\S+)), learning rate (\S+)", what):
            rates.setdefault(match[1] or "", set()).add(match[2])
    reference = len(rates.pop("", ()))
    counts = sorted({len(some) for some in rates.values()}, reverse=True)
    by_count = [
        f"λ = {_listed(weight for weight, some in rates.items() if len(some) == count)} with {count}"
        for count in counts
    ]
    return f"cross-entropy with {reference} learning rates, {', '.join(by_count)}"


def _listed(words: Iterable[str]) -> str:
    *before, last = sorted(words, key=float)
    return f"{', '.join(before)} and {last}" if before else last


def ifm(found: Found) -> str:
    """Return the paragraph on information flow maximization."""
    flow = "the flow improves on the exchange"
    smaller = "(share 0.5), epoch chosen by the digit's validation accuracy: the smaller of both"
    last = [found.figure("table3", f"{name}, last: digit") for name in ("IFM as published", "cross-entropy")]
    return (
        "Mutual information of neighboring layers as a regularizer, so that a classifier retains the digit where a "
        "texture suffices. As published, at reduced scale, the difference to cross-entropy in digit accuracy is "
        f"{found.outcome('table3', FLOW_BY_DIGIT)} points with the epoch chosen by the digit's accuracy on shifted "
        f"validation images and {found.outcome('table3', _FLOW_BY_TEXTURE)} points with that chosen by the texture's; "
        f"at the last epoch the flow recognizes {last[0]} % of the digits, cross-entropy {last[1]} %. Exchanging the "
        "statistics of images during training, which is built on knowing where the two cues lie, "
        f"{_raised(found, 'table3', 'the smaller of the two accuracies at the last epoch')}; the flow adds "
        f"{found.outcome('table3', flow)} points to it. In one model, exchange and flow with share 0.5 and the epoch "
        "chosen by the digit's accuracy on shifted validation images, the smaller of the two accuracies is "
        f"{found.difference('table3', smaller)} %."
        + (_flow_near_published(found, FLOW_NEAR_PUBLISHED) if found.has(FLOW_NEAR_PUBLISHED) else "")
        + found.earlier("table3")
    )


def _raised(found: Found, experiment: str, what: str) -> str:
    """Return what the exchange of statistics does to an accuracy, without its subject."""
    exchange = "the exchange of statistics alone"
    verb, other = ("raises", "over") if found.better(experiment, exchange) else ("changes", "against")
    return f"{verb} {what} by {found.outcome(experiment, exchange)} points {other} cross-entropy"


def exchange_epochs(found: Found) -> int:
    """Return after how many epochs the exchange of statistics is compared with cross-entropy near the published size.

    Parameters
    ----------
    found
        Results of the paper on information flow maximization.

    Returns
    -------
    int
        The smaller of both numbers of epochs.
    """
    every = int(found.setting(FLOW_NEAR_PUBLISHED, "epochs"))
    return min(every, int(dict(found.setting(FLOW_NEAR_PUBLISHED, "shorter")).get("exchange", every)))


def _flow_near_published(found: Found, experiment: str) -> str:
    """Return sentences on the paper's images and network at their size, as far as its methods have been run."""
    cross_entropy, flow = (
        " and ".join(
            f"{found.figure(experiment, what)} % of the {factor}s (published {found.published(experiment, what)})"
            for factor, what in ((factor, f"{name}, best digit: {factor}") for factor in ("digit", "texture"))
        )
        for name in ("cross-entropy", "IFM as published")
    )
    size, count = found.setting(experiment, "size"), found.setting(experiment, "counts")[0]
    text = (
        f" At the paper's size ({size}×{size} pixels, {count:,} images, {found.seeds(experiment)}), with the epoch "
        f"chosen by the digit, cross-entropy recognizes {cross_entropy} and the flow as published {flow}, a difference "
        f"of {found.outcome(experiment, FLOW_BY_DIGIT)} points in digit accuracy"
    )
    both = "the flow improves on the exchange"
    if found.has(experiment, "the exchange of statistics alone"):
        text += (
            f"; after {exchange_epochs(found)} epochs of both, the exchange "
            f"{_raised(found, experiment, 'the smaller of the two accuracies')}"
        )
        if found.has(experiment, both):
            text += f"; the flow adds {found.outcome(experiment, both)} points to it"
    return f"{text}."


def dim(found: Found) -> str:
    """Return the paragraph on Deep InfoMax."""
    few = "with few negatives (1) Jensen–Shannon outperforms InfoNCE"
    one = [found.figure("negatives", f"DIM(L) {name}, 1 negative: Y") for name in ("JSD", "InfoNCE")]
    ahead = {True: "as the paper's Figure 8 states", False: "against the paper's Figure 8", None: "which is undecided"}
    terms = "the local and the global term together"
    about = (
        ("table3", "DIM(L+G) score above DIM(L)", f"by MINE {terms} have more information than the local one"),
        ("table3", "DIM(L+G) score above DIM(G)", f"by MINE {terms} have more information than the global one"),
        ("table3", "DIM(L+G) score above VAE", f"by MINE {terms} have more information than a variational autoencoder"),
        ("table3", "DIM(G) reconstructs better", "the global objective reconstructs better than the local one"),
        ("table3", "small amount of β", "a small local term beside the global one improves reconstruction"),
        ("negatives", "relatively insensitive", "Jensen–Shannon is insensitive to the number of negatives"),
    )
    differing = [
        words
        for experiment, text, words in about
        if found.has(experiment, text) and found.verdict(experiment, text) in FAILED
    ]
    counts = found.verdicts("")
    unnamed = counts[Verdict.DIFFERS] + counts[Verdict.DIFFERS_REDUCED] - len(differing)
    differing = [f"that {words}" for words in differing] + ([f"{unnamed} more"] if unnamed else [])
    sides = ("DIM(L) JSD is above DIM(G) on Y", "DIM(L) JSD is above VAE on Y")
    verbs = ("beats" if found.better("table1", text) else "differs from" for text in sides)
    of_global, of_vae = (found.outcome("table1", text) for text in sides)
    return (
        "An encoder that maximizes the information between local and global features; differences are in points of "
        f"test accuracy on Y. At reduced scale the local objective {next(verbs)} the global one by {of_global}; the "
        "two also differ in negatives, critic, pooling and the weight of the prior. It "
        f"{next(verbs)} a variational autoencoder of the same number of epochs by {of_vae}. The control that counts is "
        "a random encoder: the "
        f"local objective against it is {found.outcome('table1', 'DIM(L) JSD is above random encoder')}, the global "
        f"one {found.outcome('table1', 'DIM(G) is above random encoder')}. With one negative Jensen–Shannon and "
        f"InfoNCE reach {one[0]} and {one[1]} %, a difference of {found.difference('negatives', few)}, "
        f"{ahead[found.better('negatives', few)]}; that InfoNCE loses more than Jensen–Shannon when negatives drop "
        f"from 4032 to 64 is {found.verdict('negatives', 'to 64, InfoNCE loses more on Y')}."
        + (f" Claims that differ: {'; '.join(differing)}." if differing else "")
        + found.earlier("table1", "table2", "table3", "negatives", "ablation", "ndm", "generator", "overlap")
    )


def dropout(found: Found) -> str:
    """Return the paragraph on information dropout."""
    rate, none = "lower error than binary dropout", "lower error than no dropout"
    area = "share of the information inside the box exceeds the box's share"
    box = "share of the image that the digit's box covers"
    covered = (
        f", which covers {found.figure('cluttered', box)} % of the image" if box in found.figures("cluttered") else ""
    )
    later, falls = (
        ", ".join(f"{count} {verdict}" for verdict, count in found.verdicts(text).items()) or "none"
        for text in ("the second layer transmits less information than the first", "The test error falls as β rises")
    )
    by_width = " and ".join(
        f"{found.outcome('cifar', f'Width {width:g}: information dropout has a {none}')} at width {width:g}"
        for width in sorted(found.setting("cifar", "widths"))
    )
    return (
        "Information dropout learns how much noise to add to each activation; the loss charges for the information let "
        "through, in nats. Differences of the test error are in points, in favor of information dropout where "
        f"positive. At the smallest width of a perceptron on MNIST, {min(found.setting('mlp', 'widths'))}, it is "
        f"{found.outcome('mlp', f'{rate}, rate 0.5')} against binary dropout at rate 0.5 and "
        f"{found.outcome('mlp', f'{rate} with a chosen rate')} against a chosen rate; "
        f"{_constant_noise(found)}. **Against no dropout at all** it is {found.outcome('mlp', none)} there "
        f"({found.seeds('mlp')}) and, on CIFAR-10 ({found.seeds('cifar')}), "
        f"{by_width}, after {found.setting('mlp', 'epochs')} and {found.setting('cifar', 'epochs')} epochs. On "
        f"cluttered digits {found.difference('cluttered', area)} % of the nats at the largest β lie inside the digit's "
        f"box{covered}. Claims that the second layer transmits less than the first, with Softplus as in the paper: "
        f"{later}. Claims that the test error falls as β rises: {falls}."
        + found.earlier("mlp", "cifar", "cluttered", "occluded", "disentangling", "flow", "sizes", "vae")
    )


def _constant_noise(found: Found) -> str:
    """Return the comparisons with constant noise, and whether a gain remains where its α is chosen."""
    usual, chosen = (
        f"lower error than constant log-normal noise {words}" for words in ("of unit mean", "with a chosen α")
    )
    left = "" if found.better("mlp", chosen) else ", so that no gain of noise that adapts is left"
    return (
        f"{found.outcome('mlp', usual)} against constant log-normal noise at α = 0.7, the paper's greatest, and "
        f"{found.outcome('mlp', chosen)} against such noise whose α is chosen on held-out images{left}"
    )


def plane(found: Found) -> str:
    """Return the paragraph on the review of information planes."""
    counts = found.verdicts("compression verdicts do not depend on")
    depend, free = counts[Verdict.FAILS], counts[Verdict.HOLDS]
    return (
        "The sixteen rows of the review's Table I, each with an estimator of the paper's kind and most with others on "
        "the same activations. Over networks and swept settings of an estimator, whether a layer compresses depends "
        f"on the setting in {depend} cases, does not in {free}, and is inconclusive in "
        f"{counts[Verdict.INCONCLUSIVE]}. A verdict on compression is only given for layers whose estimates are "
        "neither saturated nor violate the data-processing inequality, I(T;Y) ≤ I(X;T); layers that are left out are "
        "named. None of this shows that compression makes a network generalize."
    )


def forgetting(found: Found) -> str:
    """Return the paragraph on training as lossy compression."""

    def changed(text: str) -> str:
        return found.outcome("pretraining", text, CHANGE)

    return (
        "Soft entropy of the layers of a small decoder through 200 steps of training. From the start to the peak "
        f"I(X;T) rises by {changed('I(X;T) first expands')} nats. A held-out probe decodes "
        f"{changed('a held-out probe decodes more of X')} nats more of the token at the peak than before training; a "
        "rise that no probe decodes may be one of geometry, which soft entropy resolves better. From the peak to the "
        "end "
        f"I(X;T) falls by {changed('I(X;T) is compressed after its expansion')} nats. I(Y;T)/I(X;T) approaches the "
        f"bound by {changed('approaches the bound after the expansion')} as published and, after whitening, which "
        "changes neither I(X;T) nor I(Y;T), by "
        f"{changed('the ratio approaches the bound where activations are whitened')}. The paper's models have "
        "thousands of times more parameters and far more text, so this does not contradict them."
    )


def layers(found: Found) -> str:
    """Return the paragraph on intermediate layers as features."""

    def ahead(text: str) -> str:
        return found.outcome("depth", text, CHANGE)

    return (
        "Held-out linear probes of every layer of a small decoder of six blocks, for two tasks that it was not trained "
        "on. The best intermediate layer exceeds the final one after 200 steps by "
        f"{ahead('intermediate layers are better features than the final layer')} nats, and before training by "
        f"{ahead('better than the final layer before training')} nats. Random blocks only lose what the embedding "
        "holds, so such a comparison needs the untrained model as a control. The paper's 32 tasks of text embedding "
        "are beyond a model of this size, so this does not contradict them."
    )


PARAGRAPHS: Mapping[str, Paragraph] = {
    "milc": milc,
    "ifm": ifm,
    "dim": dim,
    "information-dropout": dropout,
    "information-plane": plane,
    "learning-is-forgetting": forgetting,
    "layer-by-layer": layers,
}
"""Paper -> its paragraph."""

PICTURES: Mapping[str, str] = {
    "milc": "mnist/learning-rate-mlp",
    "ifm": "table3/both-accuracies",
    "dim": "table1/accuracy",
    "information-dropout": "mlp/error_against_size",
    "information-plane": "saxe/plane",
    "learning-is-forgetting": "pretraining/expansion",
    "layer-by-layer": "depth/depth",
}
"""Paper -> experiment and name of the picture at the top of its page."""
