"""The page across papers: when training with information helps, in numbers and words from the committed results."""

from __future__ import annotations

from collections.abc import Mapping

from infoflow_reproductions.harness.found import Found
from infoflow_reproductions.harness.paragraphs import (
    FLOW_BY_DIGIT,
    FLOW_NEAR_PUBLISHED,
    NEAR_PUBLISHED,
    OUTPERFORMS,
    choices,
    exchange_epochs,
)

HELP_PAGE = "when-training-with-information-helps.md"
"""File name of the page."""

HELP = ("milc", "ifm", "dim", "information-dropout")
"""Papers whose results it needs."""

# Stands for the number of epochs of both near the published size, which is that of the results.
_EPOCHS = "EPOCHS"

_CHOSEN = "with learning rate and λ chosen"
_MIL = "Divergence of mean prediction and label frequencies,"
_TUNED_CE = "cross-entropy with a learning rate chosen on the same images"

_LINES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "milc",
        "mnist",
        OUTPERFORMS,
        f"{_MIL} λ = 50",
        "cross-entropy at the paper's learning rate, MNIST, perceptron",
    ),
    (
        "milc",
        "mnist",
        _CHOSEN,
        f"{_MIL} learning rate and λ chosen on held-out images",
        f"{_TUNED_CE}, MNIST, perceptron",
    ),
    (
        "milc",
        "mnist-cnn",
        OUTPERFORMS,
        f"{_MIL} λ = 50",
        "cross-entropy at the paper's learning rate, 5,000 images of MNIST, small CNN",
    ),
    (
        "milc",
        "mnist-cnn",
        _CHOSEN,
        f"{_MIL} learning rate and λ chosen on held-out images",
        f"{_TUNED_CE}, 5,000 images of MNIST, small CNN",
    ),
    (
        "milc",
        "cifar",
        f"mlp: {_CHOSEN}",
        f"{_MIL} learning rate and λ chosen on held-out images",
        f"{_TUNED_CE}, CIFAR-10 at 16×16, perceptron",
    ),
    (
        "milc",
        "cifar",
        f"cnn: {_CHOSEN}",
        f"{_MIL} learning rate and λ chosen on held-out images",
        f"{_TUNED_CE}, CIFAR-10 at 16×16, small CNN",
    ),
    (
        "milc",
        NEAR_PUBLISHED,
        OUTPERFORMS,
        f"{_MIL} λ = 50",
        "cross-entropy at the paper's learning rate, CIFAR-10, ShuffleNetV2",
    ),
    (
        "milc",
        NEAR_PUBLISHED,
        _CHOSEN,
        f"{_MIL} learning rate and λ chosen on held-out images",
        f"{_TUNED_CE}, CIFAR-10, ShuffleNetV2",
    ),
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
        "Information dropout, 32 units",
        "binary dropout with a chosen rate, MNIST",
    ),
    (
        "information-dropout",
        "mlp",
        "constant log-normal noise with a chosen α",
        "Information dropout, 32 units",
        "constant log-normal noise with a chosen α, MNIST",
    ),
    (
        "information-dropout",
        "mlp",
        "lower error than no dropout",
        "Information dropout, 32 units",
        "no dropout, MNIST",
    ),
    (
        "information-dropout",
        "cifar",
        "lower error than no dropout",
        "Information dropout, an eighth of the filters",
        "no dropout, CIFAR-10",
    ),
    (
        "ifm",
        "table3",
        FLOW_BY_DIGIT,
        "Information flow as published",
        "cross-entropy, shifted MNIST: digit accuracy, epoch chosen by the digit",
    ),
    (
        "ifm",
        "table3",
        "the exchange of statistics alone",
        "Exchange of statistics",
        "cross-entropy: smaller of the two accuracies, last epoch",
    ),
    (
        "ifm",
        "table3",
        "the flow improves on the exchange",
        "Exchange and information flow",
        "the exchange alone: smaller of the two accuracies, last epoch",
    ),
    (
        "ifm",
        FLOW_NEAR_PUBLISHED,
        FLOW_BY_DIGIT,
        "Information flow as published",
        "cross-entropy, shifted MNIST at the paper's size: digit accuracy, epoch chosen by the digit",
    ),
    (
        "ifm",
        FLOW_NEAR_PUBLISHED,
        "the exchange of statistics alone",
        "Exchange of statistics",
        f"cross-entropy at the paper's size: smaller of the two accuracies, after {_EPOCHS} epochs of both",
    ),
    (
        "ifm",
        FLOW_NEAR_PUBLISHED,
        "the flow improves on the exchange",
        "Exchange and information flow",
        f"the exchange alone at the paper's size: smaller of the two accuracies, after {_EPOCHS} epochs of both",
    ),
    ("dim", "table1", "DIM(L) JSD is above random encoder", "Deep InfoMax, local", "a random encoder, CIFAR-10"),
    ("dim", "table1", "DIM(L) JSD is above VAE", "Deep InfoMax, local", "a variational autoencoder, same epochs"),
    ("dim", "table1", "DIM(G) is above random encoder", "Deep InfoMax, global", "a random encoder"),
    ("dim", "table1", "DIM(G), γ = 5 is above random encoder", "Deep InfoMax, global, γ = 5", "a random encoder"),
)
"""Paper, experiment, part of the claim, what is trained, and the baseline."""

_ANSWERS = {True: "yes", False: "no", None: "not significantly"}
"""Whether the method is significantly better; the difference itself shows a loss."""

_TUNED: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "cross-entropy with a chosen learning rate",
        "mutual information learning",
        (
            ("milc", "mnist", _CHOSEN),
            ("milc", "mnist-cnn", _CHOSEN),
            ("milc", "cifar", f"mlp: {_CHOSEN}"),
            ("milc", "cifar", f"cnn: {_CHOSEN}"),
            ("milc", NEAR_PUBLISHED, _CHOSEN),
        ),
    ),
    (
        "no dropout",
        "information dropout",
        (
            ("information-dropout", "mlp", "lower error than no dropout"),
            ("information-dropout", "cifar", "lower error than no dropout"),
        ),
    ),
    (
        "binary dropout with a chosen rate",
        "information dropout",
        (("information-dropout", "mlp", "binary dropout with a chosen rate"),),
    ),
    (
        "constant noise with a chosen α",
        "information dropout",
        (("information-dropout", "mlp", "constant log-normal noise with a chosen α"),),
    ),
)
"""Tuned baselines of supervised methods, the method, and the comparisons of both."""

_BEGIN = """\
# When does training with information help?

Generated from the committed results by `infoflow reproduce --collect`. Each line is a difference in percentage points
with its 95 % interval, in favor of the method where positive. Both sides have the same network and data, and the same
number of steps, except where a recipe gives methods epochs of their own; a random encoder is not trained. *Not with
Holm* marks what is inconclusive once the number of claims of the paper is taken into account.

| Trained with | Against | Difference | Does it help? |
|---|---|---|---|
"""

_END = """\
**Information can be measured in any case.** Nats per layer show where information about the input is lost, with
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
        f"| {method} | {_against(baseline, found['ifm'])} ([{paper}]({paper}/README.md#{paper}-{experiment})) | "
        f"{found[paper].difference(experiment, text)} | {_answer(found[paper], experiment, text)} |"
        for paper, experiment, text, method, baseline in _LINES
        if _ran(found, paper, experiment, text)
    ]
    parts = [_with_labels(found), _without_labels(found["dim"]), _with_a_cue(found["ifm"])]
    return _BEGIN + "\n".join(lines) + "\n\n" + "\n\n".join(parts) + "\n\n" + _END


def _against(baseline: str, found: Found) -> str:
    """Return the name of a baseline with the number of epochs of the exchange of statistics, where it has one."""
    return baseline.replace(_EPOCHS, str(exchange_epochs(found))) if _EPOCHS in baseline else baseline


def _ran(found: Mapping[str, Found], paper: str, experiment: str, text: str) -> bool:
    """Whether a comparison has results, which only those near the published size may lack."""
    near = experiment in (NEAR_PUBLISHED, FLOW_NEAR_PUBLISHED)
    return not near or found[paper].has(experiment, text)


def _answer(found: Found, experiment: str, text: str) -> str:
    few = found.too_few(experiment, text)
    if few:
        return f"{few} {'does' if few == 'one seed' else 'do'} not show it"
    better = found.better(experiment, text)
    lost = better is not None and not found.lasting(experiment, text)
    return _ANSWERS[better] + (" (not with Holm)" if lost else "")


def _with_labels(found: Mapping[str, Found]) -> str:
    milc, dropout = found["milc"], found["information-dropout"]
    of_table = "five convolutional networks at full size (Table 3)"
    missing = f" The main gains of its paper, {of_table}, have not been run here."
    if milc.has(NEAR_PUBLISHED):
        gain = milc.outcome(NEAR_PUBLISHED, OUTPERFORMS)
        control = ", without the control that chooses the learning rate of cross-entropy"
        if milc.has(NEAR_PUBLISHED, _CHOSEN):
            settings = choices(milc, NEAR_PUBLISHED, "shufflenet_v2")
            control = (
                f", and {milc.outcome(NEAR_PUBLISHED, _CHOSEN)} with settings chosen on held-out images ({settings})"
            )
        missing = (
            f" Of the main gains of its paper, {of_table}, that of ShuffleNetV2 has been run near its size: {gain} "
            f"points at the paper's learning rate and λ{control}."
        )
    epochs = " and ".join(str(dropout.setting(name, "epochs")) for name in ("mlp", "cifar"))
    return (
        f"{_against_tuned(found)} The comparisons are small. For mutual information "
        "learning they are a perceptron on MNIST, a small convolutional network on 5,000 of its images, and small "
        "networks on small images of CIFAR-10, with settings chosen on held-out images: on MNIST "
        f"{choices(milc, 'mnist', 'mlp')}, and for the convolutional network {choices(milc, 'mnist-cnn', 'cnn')}; on "
        f"CIFAR-10 {choices(milc, 'cifar', 'mlp')}."
        f"{'' if milc.has('cifar-full') else missing} For information dropout they are the smallest widths after "
        f"{epochs} epochs; whether leaving dropout out does as well in longer training or larger networks was not "
        "compared."
    )


def _against_tuned(found: Mapping[str, Found]) -> str:
    """Return in how many comparisons with tuned baselines gains were found, and against which of them."""
    gained, compared, lasting, parts = 0, 0, 0, []
    for baseline, method, comparisons in _TUNED:
        # A single seed shows neither a gain nor its absence.
        ran = [one for one in comparisons if _ran(found, *one) and not found[one[0]].too_few(*one[1:])]
        if not ran:
            continue
        gains = [one for one in ran if found[one[0]].better(*one[1:]) is True]
        gained, compared = gained + len(gains), compared + len(ran)
        lasting += sum(found[one[0]].lasting(*one[1:]) for one in gains)
        if gains:
            sizes = " and ".join(found[one[0]].difference(*one[1:]) for one in gains)
            result = f"gains {sizes} points" + (f" in {len(gains)} of {len(ran)} comparisons" if len(ran) > 1 else "")
        else:
            result = "shows no gain" + (f" in {len(ran)} comparisons" if len(ran) > 1 else "")
        parts.append(f"Against {baseline}, {method} {result}.")
    many = f"a significant gain was found in {gained} of {compared} comparisons" if gained else "no gain was found"
    holm = f" ({lasting or 'none'} with Holm)" if gained > lasting else ""
    return " ".join([f"**With labels, {many} with a tuned baseline or no dropout{holm}.**", *parts])


def _without_labels(found: Found) -> str:
    local = "DIM(L) JSD is above random encoder"
    priors = ("DIM(G) is above random encoder", "DIM(G), γ = 5 is above random encoder")
    better = sum(found.better("table1", text) is True for text in priors)
    alone = ("no significant gain was found, with either prior", "a gain was found with one prior", "both priors gain")
    helped = {True: "training helped", False: "training did harm", None: "training was not found to help"}
    answer = helped[found.better("table1", local)]
    if found.better("table1", local) is not None and not found.lasting("table1", local):
        answer += " (not significant with Holm)"
    return (
        f"**Without labels, {answer}.** Representations that maximize the information of "
        "local and global features against those of a random encoder of the same network: "
        f"{found.outcome('table1', local)}. For the information of the whole vector alone {alone[better]}: "
        f"{found.difference('table1', priors[0])} and, with the stronger prior, "
        f"{found.difference('table1', priors[1])}."
    )


def _with_a_cue(found: Found) -> str:
    exchange, same = "the exchange of statistics alone", "same image: recognizes the digit"
    both = "the flow improves on the exchange"
    helpful = "helps" if found.better("table3", exchange) else "was not found to help"
    at_size = ""
    if found.has(FLOW_NEAR_PUBLISHED, exchange) and found.has(FLOW_NEAR_PUBLISHED, both):
        at_size = (
            f" At the paper's size, after {exchange_epochs(found)} epochs of both, the first difference is "
            f"{found.outcome(FLOW_NEAR_PUBLISHED, exchange)} points and the second "
            f"{found.outcome(FLOW_NEAR_PUBLISHED, both)}."
        )
    return (
        f"**Where training data hide a cue, a loss that knows where it lies {helpful}.** Exchanging statistics between "
        "images is no further data: it has built-in knowledge of the cues. Its difference to cross-entropy in the "
        f"smaller of the two accuracies at the last epoch is {found.outcome('table3', exchange)} points. The "
        f"regularizer by information adds {found.outcome('table3', both)} points to it.{at_size} With negatives from "
        "the same image, the flow without exchange changes the digit accuracy at the epoch chosen by the digit by "
        f"{found.outcome('negatives', same)} points."
    )
