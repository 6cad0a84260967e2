"""The page across papers: when training with information helps, from the committed results."""

from __future__ import annotations

from collections.abc import Mapping

from infoflow_reproductions.harness.paragraphs import Found

HELP_PAGE = "when-training-with-information-helps.md"
"""File name of the page."""

HELP = ("milc", "ifm", "dim", "information-dropout")
"""Papers whose results it needs."""

_LINES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "milc",
        "mnist",
        "mutual information learning outperforms cross-entropy",
        "Divergence of mean prediction and label frequencies (λ = 50)",
        "cross-entropy at the paper's learning rate, MNIST",
    ),
    (
        "milc",
        "mnist",
        "with learning rate and λ chosen",
        "The same, settings chosen on held-out images",
        "cross-entropy with a learning rate chosen on the same images, MNIST",
    ),
    ("milc", "cifar", "mlp: with learning rate and λ chosen", "The same", "the same, CIFAR-10 at 16×16, perceptron"),
    ("milc", "cifar", "cnn: with learning rate and λ chosen", "The same", "the same, CIFAR-10 at 16×16, small CNN"),
    (
        "information-dropout",
        "mlp",
        "lower error than binary dropout, rate 0.5",
        "Information dropout, 32 units",
        "binary dropout at rate 0.5, MNIST",
    ),
    (
        "information-dropout",
        "mlp",
        "binary dropout with a chosen rate",
        "The same",
        "binary dropout with a chosen rate",
    ),
    ("information-dropout", "mlp", "lower error than no dropout", "The same", "no dropout"),
    (
        "information-dropout",
        "cifar",
        "lower error than no dropout",
        "Information dropout, an eighth of the filters",
        "no dropout, CIFAR-10",
    ),
    ("ifm", "table3", "IFM as published recognizes", "Information flow as published", "cross-entropy, shifted MNIST"),
    (
        "ifm",
        "table3",
        "the exchange of statistics alone",
        "Exchange of statistics",
        "cross-entropy, smaller of both accuracies",
    ),
    ("ifm", "table3", "the flow improves on the exchange", "Exchange and information flow", "the exchange alone"),
    ("dim", "table1", "DIM(L) JSD is above random encoder", "Deep InfoMax, local", "a random encoder, CIFAR-10"),
    ("dim", "table1", "DIM(L) JSD is above VAE", "Deep InfoMax, local", "a variational autoencoder, same epochs"),
    ("dim", "table1", "DIM(G) is above random encoder", "Deep InfoMax, global", "a random encoder"),
    ("dim", "table1", "DIM(G), γ = 5 is above random encoder", "Deep InfoMax, global, γ = 5", "a random encoder"),
)
"""Paper, experiment, part of the claim, what is trained, and the baseline."""

_ANSWERS = {True: "yes", False: "no", None: "not significantly"}
"""Whether the method is significantly better; the difference itself shows a loss."""

_BEGIN = """\
# When does training with information help?

Generated from the committed results by `infoflow reproduce --collect`. Each line is a difference in percentage points
with its 95 % interval, in favor of the method where positive. Runs on both sides have the same network, data and number
of steps; settings of the baseline are chosen as the method's are where the line says so.

| Trained with | Against | Difference | Does it help? |
|---|---|---|---|
"""

_END = """
**With labels, not measurably, once the baseline is tuned.** The gains of two supervised methods come from baselines
whose settings were not chosen: a learning rate of 0.001 is too small for plain cross-entropy, and dropout at rate 0.5
takes too much from small networks. Where cross-entropy has its learning rate chosen on the same held-out images, and
where dropout is left out, no significant gain remains. Choose the learning rate first, and try no dropout.

**Without labels, yes.** Maximizing the information of local and global features gives representations that a random
encoder of the same network does not have. Maximizing the information of the whole vector alone does not, without a
stronger prior.

**Where training data hide a cue, data help more than information.** Exchanging statistics between images gives both
cues; the regularizer by information adds nothing measurable to it.

**Information is worth measuring in any case.** Nats per layer show where information about the input is lost, with
ceilings and warnings where they show nothing; see the pages of the papers.

Networks and data are smaller than published in most of these runs. The recipes `--scale cpu-published` and
`--scale full` are those to repeat them at the published sizes.
"""


def helps(found: Mapping[str, Found]) -> str:
    """Return the page.

    Parameters
    ----------
    found
        Results by paper.

    Returns
    -------
    str
        Markdown.
    """
    lines = [
        f"| {method} | {baseline} ([{paper}]({paper}/README.md#{paper}-{experiment})) | "
        f"{found[paper].difference(experiment, text)} | {_ANSWERS[found[paper].better(experiment, text)]} |"
        for paper, experiment, text, method, baseline in _LINES
    ]
    return _BEGIN + "\n".join(lines) + "\n" + _END
