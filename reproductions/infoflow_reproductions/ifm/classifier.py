"""One classifier trained by one method on one draw of textures: the trial of all comparisons."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from infoflow.core.checks import choice
from infoflow.core.errors import DidNotConverge
from infoflow.critics import Separable
from infoflow.objectives import FlowCritic, InformationFlow, Negatives, Objective, StatisticsExchange
from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.baselines.decorrelation import Decorrelation
from infoflow_reproductions.baselines.gradient_orthogonality import GradientOrthogonality
from infoflow_reproductions.baselines.independence_cross_entropy import IndependenceCrossEntropy
from infoflow_reproductions.harness.trial import Context
from infoflow_reproductions.ifm.images import Images, Part, images, prepared
from infoflow_reproductions.ifm.methods import Method
from infoflow_reproductions.networks.flow_classifier import FlowClassifier

CLASSES = 10
BASELINES = ("", "ice", "orthogonal", "last-layer")

# Further outputs of the network of the minimax, which must not depend on the class.
_NUISANCES = 54

# Width factor with which both members of an ensemble cost about as much as one network.
_MEMBER = 0.7

DIVERGED = "diverged"
"""Key of the message that a trial returns when its training diverges."""

Predictor = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Training:
    """How every classifier of a comparison is trained.

    Parameters
    ----------
    source
        Name in `images.SOURCES`.
    size
        Side of the images in pixels.
    width
        Factor on the numbers of channels.
    counts
        Numbers of training, validation and test images.
    texture_side
        Side of the textures in pixels.
    epochs, batch_size, learning_rate
        Stochastic gradient descent with momentum 0.9.
    hidden
        Widths of the critics' hidden layers.
    """

    source: str = "shifted-mnist"
    size: int = 32
    width: float = 1.0
    counts: tuple[int, int, int] = (48_000, 12_000, 10_000)
    texture_side: int = 64
    epochs: int = 50
    batch_size: int = 128
    learning_rate: float = 0.01
    hidden: tuple[int, ...] = (256, 128, 64)


@dataclass(frozen=True)
class Task:
    """One run of one method.

    Parameters
    ----------
    method
        Name of the method.
    seed
        Seed of split, textures and weights.
    training
        How the classifier is trained.
    settings
        Fields of `Method` without the title.
    """

    method: str
    seed: int
    training: Training
    settings: Mapping[str, Any]


def run(task: Task, *, context: Context) -> Mapping[str, Any]:
    """Train on images whose texture agrees with their digit, and measure both accuracies where they are independent.

    Parameters
    ----------
    task
        What to train.
    context
        Where the trial runs.

    Returns
    -------
    dict
        In percent on the test set, `digit_S` and `texture_S` for the epochs S with the best validation accuracy of the
        digit ("best_digit"), of the texture ("best_texture"), and the last one; `agree`, how often digit and texture
        are equal on the test set; `textures`, what the images were made from; curves over epochs (`epoch`,
        `validation_digit`, `test_texture`, ...) and each pair's bound in nats (`flow`: pair -> curve; `separated`,
        `saturation` likewise). If a flow makes the loss infinite,
        `diverged` alone, a message.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> context = Context(None, "cpu", pathlib.Path(tempfile.mkdtemp()) / "checkpoint", False)
    >>> tiny = Training("digits", 16, 0.125, (200, 50, 50), 128, epochs=1, batch_size=64, hidden=(8,))
    >>> sorted(run(Task("", 0, tiny, {}), context=context))[:4]
    ['agree', 'best_digit', 'best_texture', 'digit_best_digit']
    """
    how, training = Method(task.method, **task.settings), task.training
    counts = training.counts
    parts = images(training.source, task.seed, training.size, counts, context.data_root, training.texture_side)
    players, predict, flow = _players(how, task, context.device)
    try:
        history = fit(
            players,
            (parts.train.x, parts.train.digit),
            Fit(
                epochs=training.epochs,
                batch_size=training.batch_size,
                optimizer=Optimizer("sgd", training.learning_rate, momentum=0.9),
                channels_last=True,
            ),
            seed=task.seed,
            prepare=lambda x, y, generator: (prepared(x), y),
            evaluate=lambda epoch: _accuracies(predict, parts, context.device),
            device=context.device,
            **context.resumable({"method": task.method, **task.settings}),
        )
    except DidNotConverge as failure:
        if flow is None:
            raise
        return {DIVERGED: str(failure)}
    if flow is not None:
        flow.detach()
    if how.baseline == "last-layer":
        history = [{"epoch": training.epochs + 1, **_retrained(players[""].module, parts, context.device)}]
    return _summary(history, parts, how)


def _summary(history: Sequence[Mapping[str, float]], parts: Images, how: Method) -> dict[str, Any]:
    trained = [row for row in history if row["epoch"] > 0]
    agree = 100 * float((parts.test.digit == parts.test.texture).float().mean())
    found: dict[str, Any] = {"agree": agree, "textures": parts.source}
    chosen = {
        "best_digit": max(trained, key=lambda row: row["validation_digit"]),
        "best_texture": max(trained, key=lambda row: row["validation_texture"]),
        "last": trained[-1],
    }
    for selection, row in chosen.items():
        found[selection] = int(row["epoch"])
        for factor in ("digit", "texture"):
            found[f"{factor}_{selection}"] = row[f"test_{factor}"]
    found["epoch"] = [int(row["epoch"]) for row in history]
    for name in ("validation_digit", "validation_texture", "test_digit", "test_texture"):
        found[name] = [row[name] for row in history]
    found["loss"] = [row.get("loss", row.get("network/loss")) for row in trained]
    for ending, name in (("", "flow"), ("/saturation", "saturation"), ("/separated", "separated")):
        names = [f"{x}-{y}" for x, y in how.pairs] if how.flow else []
        found[name] = {pair: [_term(row, f"{pair}{ending}") for row in trained] for pair in names}
    return found


def _term(row: Mapping[str, float], name: str) -> float:
    return row[name] if name in row else row[f"network/{name}"]


def _players(how: Method, task: Task, device: str) -> tuple[dict[str, Player], Predictor, InformationFlow | None]:
    """Return the players with their losses, the function from prepared images to logits, and the flow if any."""
    training, seed = task.training, task.seed
    width = training.width
    choice(how.baseline, "baseline", BASELINES)
    make = functools.partial(FlowClassifier, size=training.size)
    if how.baseline == "orthogonal":
        members = [make(CLASSES, width=_MEMBER * width, seed=1000 * seed + k) for k in range(2)]
        ensemble = nn.ModuleList(members)
        player = Player(ensemble, _Ensemble(members))
        return {"": player}, lambda x: torch.stack([m(x).log_softmax(1) for m in members]).logsumexp(0), None
    outputs = CLASSES + (_NUISANCES if how.baseline == "ice" else 0)
    model = make(outputs, width=width, seed=seed).to(device)
    flow = _flow(model, how, training.hidden, seed)
    exchange = None
    if how.exchange or how.spectra:
        exchange = StatisticsExchange(model, how.exchange, spectra=how.spectra, share=how.share)
    minimax = IndependenceCrossEntropy(_NUISANCES, CLASSES, seed=seed) if how.baseline == "ice" else None
    loss = _Objective(how, model, flow, exchange, minimax)
    trained = nn.ModuleList([model, *([flow] if flow is not None else [])])
    players = {"": Player(trained, loss)}
    if minimax is not None:
        adversary = minimax
        players = {
            "adversary": Player(adversary, lambda x, y: adversary.opponent_loss(model(x)[:, CLASSES:], y)),
            "network": players[""],
        }
    return players, lambda x: model(x)[:, :CLASSES], flow


class _Ensemble(Objective):
    """Cross-entropy of members whose gradients are orthogonal."""

    def __init__(self, members: Sequence[FlowClassifier]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.orthogonality = GradientOrthogonality()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        total = self.orthogonality(list(self.members), x, y)
        self.record(self.orthogonality.terms)
        return total


class _Objective(Objective):
    """Cross-entropy of the network, and whatever the method adds to it."""

    def __init__(
        self,
        how: Method,
        model: FlowClassifier,
        flow: InformationFlow | None,
        exchange: StatisticsExchange | None,
        minimax: IndependenceCrossEntropy | None,
    ) -> None:
        super().__init__()
        self.how, self.model = how, model
        self.flow, self.exchange, self.minimax = flow, exchange, minimax
        self.decorrelation = Decorrelation()
        self.features: list[Tensor] = []
        if how.decorrelation:
            model.get_submodule("flatten").register_forward_hook(
                lambda module, inputs, output: self.features.__setitem__(slice(None), [output])
            )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        how, z = self.how, self.model(x)
        logits = z[:, :CLASSES]
        entropy = F.cross_entropy(logits, y)
        terms = {"cross_entropy": entropy}
        total = how.plain_weight * entropy
        if how.decoupling:
            total = total + 0.5 * how.decoupling * logits.square().sum(1).mean()
        if how.decorrelation:
            total = total + how.decorrelation * self.decorrelation(self.features[0])
        if self.minimax is not None:
            total = self.minimax(logits, z[:, CLASSES:], y)
            terms |= self.minimax.terms
        if self.flow is not None:  # before the exchange, which runs the same layers again
            total = total + how.flow * self.flow(y)
            terms |= self.flow.terms
        if self.exchange is not None:
            total = total + how.exchange_weight * self.exchange(x, y)
            terms |= self.exchange.terms
        self.record(terms)
        return total


def _flow(model: nn.Module, how: Method, hidden: Sequence[int], seed: int) -> InformationFlow | None:
    if not how.flow:
        return None
    small = hidden[-1]
    critics: dict[str, Callable[..., nn.Module]] = {
        "published": functools.partial(FlowCritic, hidden=tuple(hidden)),
        "separable": functools.partial(Separable, embedding=small, hidden=(hidden[0],)),
        "cosine": functools.partial(Separable, embedding=small, hidden=(hidden[0],), normalize=True),
    }
    return InformationFlow(
        model,
        list(how.pairs),
        bound=how.bound,
        critic=critics[choice(how.critic, "critic", critics)],
        negatives=Negatives(how.negatives, how.count, how.mining),
        locations=how.locations,
        noise=how.noise,
        seed=seed,
    )


@torch.no_grad()
def _accuracies(predict: Predictor, parts: Images, device: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, part in (("validation", parts.validation), ("test", parts.test)):
        guesses = torch.cat([predict(prepared(x.to(device))).argmax(1).cpu() for x in blocks(part.x)])
        found |= _scored(name, guesses, part)
    return found


def blocks(x: Tensor) -> list[Tensor]:
    """Return the images in blocks that fit into memory.

    >>> [len(block) for block in blocks(torch.zeros(2500, 1))]
    [1000, 1000, 500]
    """
    return [x[start : start + 1000] for start in range(0, len(x), 1000)]


def _scored(name: str, guesses: Tensor, part: Part) -> dict[str, float]:
    right = {"digit": guesses == part.digit, "texture": guesses == part.texture}
    return {f"{name}_{factor}": 100 * float(hits.float().mean()) for factor, hits in right.items()}


@torch.no_grad()
def _retrained(trained: nn.Module, parts: Images, device: str) -> dict[str, float]:
    """Return accuracies with the linear layer fitted anew to the shifted validation images and their digits."""
    model = next(trained.children())
    body = nn.Sequential(*list(model.children())[:-1]).eval()
    rows = [
        torch.cat([body(prepared(x.to(device))).cpu() for x in blocks(part.x)])
        for part in (parts.validation, parts.test)
    ]
    layer = LogisticRegression(max_iter=5000, C=0.1).fit(rows[0].numpy(), parts.validation.digit.numpy())
    guesses = [torch.from_numpy(layer.predict(features.numpy())) for features in rows]
    named = zip(("validation", "test"), guesses, (parts.validation, parts.test), strict=True)
    return {key: value for name, guess, part in named for key, value in _scored(name, guess, part).items()}
