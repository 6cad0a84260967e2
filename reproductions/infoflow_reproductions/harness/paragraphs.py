"""What the reproductions of a paper found, in sentences whose numbers come from the stored results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.paper_page import within_paper
from infoflow_reproductions.harness.records import claim_of


class Found:
    """Claims and figures of a paper's experiments, by a part of their text.

    Parameters
    ----------
    summaries
        Contents of the experiments' results.json, each with its `folder`, whose last part names it here.
    """

    def __init__(self, summaries: Sequence[Mapping[str, Any]]) -> None:
        self._by_name = {within_paper(one): one for one in summaries}

    def has(self, experiment: str) -> bool:
        """Return whether an experiment has results.

        Parameters
        ----------
        experiment
            Its name.

        Returns
        -------
        bool
            True if it has.
        """
        return experiment in self._by_name

    def difference(self, experiment: str, text: str) -> str:
        """Return the mean difference and interval of a claim.

        Parameters
        ----------
        experiment
            Name of the experiment.
        text
            A part of the claim's text.

        Returns
        -------
        str
            Such as "0.89 [0.49, 1.3]".
        """
        sample = self._claim(experiment, text).sample
        if sample is None:
            return "no figure"
        low, high = sample.interval
        return f"{sample.mean:.3g} [{low:.3g}, {high:.3g}]"

    def better(self, experiment: str, text: str) -> bool | None:
        """Return whether the difference of a claim lies above its threshold or below it.

        Parameters
        ----------
        experiment
            Name of the experiment.
        text
            A part of the claim's text.

        Returns
        -------
        bool or None
            None if the interval contains the threshold.
        """
        sample = self._claim(experiment, text).sample
        return None if sample is None else sample.above

    def _claim(self, experiment: str, text: str) -> Claim:
        return next(claim_of(one) for one in self._by_name[experiment]["claims"] if text in one["claim"])


Paragraph = Callable[[Found], str]
"""Makes the paragraph of a paper."""


def milc(found: Found) -> str:
    """Return the paragraph on mutual information learned classifiers."""
    return (
        "Cross-entropy plus λ times the divergence of the batch's mean prediction from its label frequencies. On "
        "MNIST, at the paper's learning rate of 0.001, it gains "
        f"{found.difference('mnist', 'mutual information learning outperforms cross-entropy')} points of test accuracy "
        "over cross-entropy. **The gain vanishes once cross-entropy has a learning rate of its own:** with both "
        "settings chosen on the same held-out images the difference is "
        f"{found.difference('mnist', 'with learning rate and λ chosen')} points. On small images of CIFAR-10 and small "
        f"networks it is {found.difference('cifar', 'mlp: with learning rate and λ chosen')} (perceptron) and "
        f"{found.difference('cifar', 'cnn: with learning rate and λ chosen')} points (convolutional network). What "
        "works: cross-entropy with a learning rate chosen on held-out images. The bound on the error of Theorem 10 "
        "needs a correction for unbalanced classes, which `infoflow.theory` contains."
    )


def ifm(found: Found) -> str:
    """Return the paragraph on information flow maximization."""
    exchange, flow = "the exchange of statistics alone", "the flow improves on the exchange"
    smaller = "(share 0.5), epoch chosen by the digit's validation accuracy: the smaller of both"
    return (
        "Mutual information of neighboring layers as a regularizer, so that a classifier retains the digit where a "
        "texture suffices. As published, at reduced scale, it changes the digit's accuracy by "
        f"{found.difference('table3', 'IFM as published recognizes')} points against cross-entropy, which is no gain. "
        "What works: exchanging the statistics of images during training retains both cues, by "
        f"{found.difference('table3', exchange)} points of the smaller accuracy over cross-entropy; the flow adds "
        f"{found.difference('table3', flow)} points to it. The smaller of both accuracies in one model is "
        f"{found.difference('table3', smaller)} %."
    )


def dim(found: Found) -> str:
    """Return the paragraph on Deep InfoMax."""
    return (
        "An encoder that maximizes the information between local and global features. At reduced scale the local "
        f"objective is {found.difference('table1', 'DIM(L) JSD is above DIM(G)')} points above the global one and "
        f"{found.difference('table1', 'DIM(L) JSD is above VAE')} points above a variational autoencoder, from the "
        "same number of epochs. The control that counts is a random encoder: the local objective exceeds it by "
        f"{found.difference('table1', 'DIM(L) JSD is above random encoder')} points, the global one by "
        f"{found.difference('table1', 'DIM(G) is above random encoder')}. With one negative, Jensen–Shannon loses as "
        "InfoNCE does, against the paper's Figure 8."
    )


def dropout(found: Found) -> str:
    """Return the paragraph on information dropout."""
    return (
        "Noise that the network learns, paid for in nats. At the smallest width its error is "
        f"{found.difference('mlp', 'lower error than binary dropout, rate 0.5')} points below binary dropout at rate "
        f"0.5, and {found.difference('mlp', 'binary dropout with a chosen rate')} below binary dropout with a chosen "
        "rate. **The gain vanishes against no dropout at all:** "
        f"{found.difference('mlp', 'lower error than no dropout')} points on MNIST and "
        f"{found.difference('cifar', 'lower error than no dropout')} on CIFAR-10. The nats behave as stated: they "
        "concentrate on the object, and the representation forgets a nuisance as β rises; the stated fall of the test "
        "error with β was not found."
    )


def plane(found: Found) -> str:
    """Return the paragraph on the review of information planes."""
    del found
    return (
        "The sixteen rows of the review's Table I, each with the paper's estimator and others on the same activations. "
        "Whether a layer compresses depends on the estimator and its setting in most rows, and a verdict is only "
        "given for layers whose estimates are neither saturated nor contradict data processing, I(T;Y) ≤ I(X;T); "
        "layers that are left out are named. None of this shows that compression makes a network generalize."
    )


def forgetting(found: Found) -> str:
    """Return the paragraph on training as lossy compression."""
    decoded = found.difference("pretraining", "a held-out probe decodes more of X")
    return (
        "Soft entropy of the layers of a small decoder through 200 steps of training. The published expansion of "
        f"I(X;T) is there, {found.difference('pretraining', 'I(X;T) first expands')} nats, but a held-out probe "
        f"decodes only {decoded} nats more of the token at the peak than before training: **most of the expansion is "
        "a change of geometry, which soft entropy resolves better, and not of information.** No compression "
        "follows: from the peak to the end the fall is "
        f"{found.difference('pretraining', 'I(X;T) is compressed after its expansion')} nats, so I(X;T) still rises. "
        "Nor does I(Y;T)/I(X;T) approach the bound, "
        f"{found.difference('pretraining', 'approaches the bound after the expansion')}, as published, while after "
        "whitening, which changes neither I(X;T) nor I(Y;T), it rises slightly, "
        f"{found.difference('pretraining', 'the ratio approaches the bound where activations are whitened')}. The "
        "paper's models have thousands of times more parameters and far more text, so this does not contradict them."
    )


def layers(found: Found) -> str:
    """Return the paragraph on intermediate layers as features."""
    return (
        "Held-out linear probes of every layer of a small decoder of six blocks, for two tasks that it was not trained "
        "on. **The best intermediate layer is no better than the final one** after 200 steps: "
        f"{found.difference('depth', 'intermediate layers are better features than the final layer')} nats. Before "
        "training the intermediate layers are better, "
        f"{found.difference('depth', 'better than the final layer before training')} nats, as random blocks only lose "
        "what the embedding holds, so such a comparison needs the untrained model as a control. The paper's 32 tasks "
        "of text embedding are beyond a model of this size, so this does not contradict them."
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
