"""What the reproductions of a paper found, in sentences whose numbers come from the stored results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from infoflow_reproductions.harness.findings import Verdict
from infoflow_reproductions.harness.found import CHANGE, Found

Paragraph = Callable[[Found], str]
"""Makes the paragraph of a paper."""

NEAR_PUBLISHED = "cifar-cpu-published"
"""Folder of the experiment with networks of MILC's Table 3 near their size."""

FLOW_NEAR_PUBLISHED = "table3-cpu-published"
"""Folder of the experiment with the images and the network of the flow's Table 3 at their size."""


def milc(found: Found) -> str:
    """Return the paragraph on mutual information learned classifiers."""
    chosen = "with learning rate and λ chosen"
    near = [
        _near_published(found, NEAR_PUBLISHED, name)
        for name in (found.setting(NEAR_PUBLISHED, "networks") if found.has(NEAR_PUBLISHED) else ())
    ]
    return (
        "Cross-entropy plus λ times the divergence of the batch's mean prediction from its label frequencies. The "
        "differences are in points of test accuracy against cross-entropy. For a perceptron on MNIST at the paper's "
        "learning rate of 0.001 it is "
        f"{found.outcome('mnist', 'mutual information learning outperforms cross-entropy')}. With the settings of both "
        f"chosen on the same held-out images ({choices(found, 'mnist', 'mlp')}) it is "
        f"{found.outcome('mnist', chosen)}. On small images of CIFAR-10 and small networks, with settings chosen so "
        f"({choices(found, 'cifar', 'mlp')}), it is {found.outcome('cifar', f'mlp: {chosen}')} for a perceptron and "
        f"{found.outcome('cifar', f'cnn: {chosen}')} for a convolutional network.{''.join(near)} The bound on the "
        "error of Theorem 10 needs a correction for unbalanced classes, which `infoflow.theory` contains."
        + found.earlier("mnist", "cifar")
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
            f", and {found.outcome(experiment, chosen)} with the settings of both chosen on held-out images ({of})"
        )
    epochs, seeds = found.setting(experiment, "epochs"), found.seeds(experiment)
    return (
        f" Near the published size ({network}, {epochs} epochs on whole images of CIFAR-10, {seeds}) it is "
        f"{found.outcome(experiment, f'{network}: at the paper')} at the paper's settings ({ours}, against {other})"
        f"{likewise}."
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
    exchange, flow = "the exchange of statistics alone", "the flow improves on the exchange"
    smaller = "(share 0.5), epoch chosen by the digit's validation accuracy: the smaller of both"
    last = [found.figure("table3", f"{name}, last: digit") for name in ("IFM as published", "cross-entropy")]
    return (
        "Mutual information of neighboring layers as a regularizer, so that a classifier retains the digit where a "
        "texture suffices. As published, at reduced scale, with the epoch chosen by the digit's accuracy on shifted "
        "validation images, the difference to cross-entropy in the digit's accuracy is "
        f"{found.outcome('table3', 'IFM as published recognizes')} points; at the last epoch it is at "
        f"{last[0]} % against {last[1]} %. Exchanging the statistics of images during training, which is built on "
        "knowing where the two cues lie, changes the smaller accuracy of both cues at the last epoch by "
        f"{found.outcome('table3', exchange)} points against cross-entropy; the flow adds "
        f"{found.outcome('table3', flow)} points to it. In one model, exchange and flow with share 0.5 and the epoch "
        "chosen by the digit's accuracy on shifted validation images, the smaller of both accuracies is "
        f"{found.difference('table3', smaller)} %."
        + (_flow_near_published(found, FLOW_NEAR_PUBLISHED) if found.has(FLOW_NEAR_PUBLISHED) else "")
        + found.earlier("table3")
    )


def _flow_near_published(found: Found, experiment: str) -> str:
    """Return sentences on the paper's images and network at their size, as far as its methods have been run."""
    cross_entropy, flow = (
        " and ".join(
            f"{found.figure(experiment, what)} % of the {factor} (published {found.published(experiment, what)})"
            for factor, what in ((factor, f"{name}, best digit: {factor}") for factor in ("digit", "texture"))
        )
        for name in ("cross-entropy", "IFM as published")
    )
    size, count = found.setting(experiment, "size"), found.setting(experiment, "counts")[0]
    text = (
        f" At the paper's size ({size}×{size} pixels, {count:,} images, {found.seeds(experiment)}), with the epoch "
        f"chosen by the digit, cross-entropy recognizes {cross_entropy} and the flow as published {flow}, a difference "
        f"of {found.outcome(experiment, 'IFM as published recognizes')} points in the digit"
    )
    exchange, both = "the exchange of statistics alone", "the flow improves on the exchange"
    if found.has(experiment, exchange):
        text += f"; the exchange changes the smaller accuracy by {found.outcome(experiment, exchange)} points"
    if found.has(experiment, both):
        text += f", to which the flow adds {found.outcome(experiment, both)}"
    return f"{text}."


def dim(found: Found) -> str:
    """Return the paragraph on Deep InfoMax."""
    few = "with few negatives (1) Jensen–Shannon outperforms InfoNCE"
    one = [found.figure("negatives", f"DIM(L) {name}, 1 negative: Y") for name in ("JSD", "InfoNCE")]
    ahead = {True: "as the paper's Figure 8 states", False: "against the paper's Figure 8", None: "which is undecided"}
    return (
        "An encoder that maximizes the information between local and global features; differences are in points of "
        "test accuracy on Y. At reduced scale the local objective against the global one is "
        f"{found.outcome('table1', 'DIM(L) JSD is above DIM(G) on Y')}, where both differ in negatives, critic, "
        "pooling and the weight of the prior as well, and against a variational autoencoder, from the same number of "
        "epochs, "
        f"{found.outcome('table1', 'DIM(L) JSD is above VAE on Y')}. The control that counts is a random encoder: the "
        f"local objective against it is {found.outcome('table1', 'DIM(L) JSD is above random encoder')}, the global "
        f"one {found.outcome('table1', 'DIM(G) is above random encoder')}. With one negative Jensen–Shannon and "
        f"InfoNCE reach {one[0]} and {one[1]} %, a difference of {found.difference('negatives', few)}, "
        f"{ahead[found.better('negatives', few)]}; the claim that InfoNCE loses more from 4032 negatives to 64 is "
        f"{found.verdict('negatives', 'to 64, InfoNCE loses more on Y')}." + found.earlier("table1", "negatives")
    )


def dropout(found: Found) -> str:
    """Return the paragraph on information dropout."""
    rate, none = "lower error than binary dropout", "lower error than no dropout"
    area = "share of the information inside the box exceeds the box's share"
    later, falls = (
        ", ".join(f"{count} {verdict}" for verdict, count in found.verdicts(text).items()) or "none"
        for text in ("The second layer transmits less than the first, at β", "The test error falls as β rises")
    )
    return (
        "Noise that the network learns, paid for in nats. Differences of the test error are in points, in favor of "
        "information dropout where positive. At the smallest width of a perceptron on MNIST it is "
        f"{found.outcome('mlp', f'{rate}, rate 0.5')} against binary dropout at rate 0.5 and "
        f"{found.outcome('mlp', f'{rate} with a chosen rate')} against a chosen rate. **Against no dropout at all** it "
        f"is {found.outcome('mlp', none)} on MNIST ({found.seeds('mlp')}) and {found.outcome('cifar', none)} on "
        f"CIFAR-10 ({found.seeds('cifar')}), after {found.setting('mlp', 'epochs')} and "
        f"{found.setting('cifar', 'epochs')} epochs. On cluttered digits {found.difference('cluttered', area)} % of "
        f"the nats at the largest β lie inside the digit's box. Claims that the second layer transmits less than the "
        f"first: {later}. Claims that the test error falls as β rises: {falls}."
        + found.earlier("mlp", "cifar", "cluttered", "occluded", "disentangling", "flow")
    )


def plane(found: Found) -> str:
    """Return the paragraph on the review of information planes."""
    counts = found.verdicts("compression verdicts do not depend on")
    depend, free = counts[Verdict.FAILS], counts[Verdict.HOLDS]
    return (
        "The sixteen rows of the review's Table I, each with the paper's estimator and most with others on the same "
        "activations. Over networks and swept settings of an estimator, whether a layer compresses depends on the "
        f"setting in {depend} cases, does not in {free}, and is inconclusive in {counts[Verdict.INCONCLUSIVE]}. A "
        "verdict on compression is only given for layers whose estimates are neither saturated nor contradict data "
        "processing, I(T;Y) ≤ I(X;T); layers that are left out are named. None of this shows that compression makes a "
        "network generalize."
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
