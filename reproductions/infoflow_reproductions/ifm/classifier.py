"""One classifier trained by one method on one draw of textures: the trial that all comparisons here are made of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from infoflow.core.checks import choice
from infoflow.core.errors import DidNotConverge
from infoflow.critics import Separable
from infoflow.objectives import FlowCritic, InformationFlow, StatisticsExchange
from infoflow.objectives.loss import Loss
from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.harness.trial import Context
from infoflow_reproductions.ifm.images import Images, Part, images, prepared
from infoflow_reproductions.ifm.methods import Method
from infoflow_reproductions.networks.flow_classifier import FlowClassifier
from infoflow_reproductions.rivals.decorrelation import Decorrelation
from infoflow_reproductions.rivals.gradient_orthogonality import GradientOrthogonality
from infoflow_reproductions.rivals.independence_cross_entropy import IndependenceCrossEntropy

CLASSES = 10
RIVALS = ("", "ice", "orthogonal", "last-layer")

# Numbers beside the logits, of the network that the minimax splits: those are not to tell the class.
_NUISANCES = 54

# Each member of an ensemble of two is so much narrower that both cost about as much as one network.
_MEMBER = 0.7

DIVERGED = "diverged"
"""What a trial returns of a training that came to nothing."""

Predictor = Callable[[Tensor], Tensor]


def run(
    *,
    context: Context,
    source: str,
    seed: int,
    size: int,
    width: float,
    counts: Sequence[int],
    texture_side: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    hidden: Sequence[int],
    method: str,
    settings: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Trains it on images whose texture is their digit's, and measures both accuracies where textures are independent.

    `settings` are those of `Method`. Returns, in percent on the test set, `digit_S` and `texture_S` for the epochs S
    with the best validation accuracy of the digit ("best_digit"), of the texture ("best_texture"), and the last one;
    `agree`, how often digit and texture are equal on the test set; curves over epochs (`epoch`, `validation_digit`,
    `test_texture`, ...) and each pair's bound in nats (`flow`: pair -> curve; `separated`, `saturation` likewise).
    Where a flow makes the loss infinite, that is what was found: `diverged`, in words, alone.

    >>> import tempfile, pathlib
    >>> context = Context(None, "cpu", pathlib.Path(tempfile.mkdtemp()) / "checkpoint", False)
    >>> shape = dict(source="digits", size=16, width=0.125, counts=(200, 50, 50), texture_side=128, hidden=(8,))
    >>> shape |= dict(seed=0, epochs=1, batch_size=64, learning_rate=0.01)
    >>> found = run(context=context, method="", settings={}, **shape)
    >>> sorted(found)[:4]
    ['agree', 'best_digit', 'best_texture', 'digit_best_digit']
    """
    how = Method(**{"title": method, **_tuples(settings)})
    parts = images(source, seed, size, tuple(counts), context.data_root, texture_side)
    players, predict, flow = _players(how, width, size, hidden, seed, context.device)
    try:
        history = fit(
            players,
            (parts.train.x, parts.train.digit),
            Fit(
                epochs=epochs,
                batch_size=batch_size,
                optimizer=Optimizer("sgd", learning_rate, momentum=0.9),
                channels_last=True,
            ),
            seed=seed,
            prepare=lambda x, y, generator: (prepared(x), y),
            evaluate=lambda epoch: _accuracies(predict, parts, context.device),
            checkpoint=context.checkpoint,
            resume=True,
            fingerprint={"method": method, **settings},
            progress=context.progress,
            device=context.device,
        )
    except DidNotConverge as failure:
        if flow is None:
            raise
        return {DIVERGED: str(failure)}
    if flow is not None:
        flow.detach()
    if how.rival == "last-layer":
        main = players[""].module
        history.append({"epoch": epochs + 1, **_retrained(main, parts, context.device)})
        history = [history[-1]]
    return _summary(history, parts, how)


def _summary(history: Sequence[Mapping[str, float]], parts: Images, how: Method) -> dict[str, Any]:
    trained = [row for row in history if row["epoch"] > 0]
    found: dict[str, Any] = {"agree": 100 * float((parts.test.digit == parts.test.texture).float().mean())}
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


def _players(
    how: Method, width: float, size: int, hidden: Sequence[int], seed: int, device: str
) -> tuple[dict[str, Player], Predictor, InformationFlow | None]:
    """Who is trained with which loss, what predicts logits from prepared images, and the flow to detach at the end."""
    choice(how.rival, "rival", RIVALS)
    make = functools.partial(FlowClassifier, size=size)
    if how.rival == "orthogonal":
        members = [make(CLASSES, width=_MEMBER * width, seed=1000 * seed + k) for k in range(2)]
        objective = GradientOrthogonality()
        ensemble = nn.ModuleList(members)
        player = Player(ensemble, lambda x, y: objective(members, x, y))
        return {"": player}, lambda x: torch.stack([m(x).log_softmax(1) for m in members]).logsumexp(0), None
    outputs = CLASSES + (_NUISANCES if how.rival == "ice" else 0)
    model = make(outputs, width=width, seed=seed).to(device)
    flow = _flow(model, how, hidden, seed)
    exchange = None
    if how.exchange or how.spectra:
        exchange = StatisticsExchange(model, how.exchange, spectra=how.spectra, share=how.share)
    decorrelation = Decorrelation()
    minimax = IndependenceCrossEntropy(_NUISANCES, CLASSES, seed=seed) if how.rival == "ice" else None
    last: dict[str, Tensor] = {}
    if how.decorrelation:
        model.get_submodule("flatten").register_forward_hook(
            lambda module, inputs, output: last.update(features=output)
        )

    def loss(x: Tensor, y: Tensor) -> Loss:
        z = model(x)
        logits = z[:, :CLASSES]
        total = F.cross_entropy(logits, y)
        terms: dict[str, Tensor] = {"cross_entropy": total.detach()}
        if how.decoupling:
            total = total + 0.5 * how.decoupling * logits.square().sum(1).mean()
        if how.decorrelation:
            total = total + how.decorrelation * decorrelation(last["features"])
        if minimax is not None:
            found = minimax(logits, z[:, CLASSES:], y)
            total = found.total
            terms |= found.terms
        if flow is not None:  # before the exchange, which runs the same layers again
            found = flow(y)
            total = total + how.flow * found.total
            terms |= found.terms
        if exchange is not None:
            found = exchange(x, y)
            total = total + how.exchange_weight * found.total
            terms |= found.terms
        return Loss(total, terms)

    trained = nn.ModuleList([model, *([flow] if flow is not None else [])])
    players = {"": Player(trained, loss)}
    if minimax is not None:
        adversary = minimax
        players = {
            "adversary": Player(adversary, lambda x, y: adversary.adversary(model(x)[:, CLASSES:], y)),
            "network": players[""],
        }
    return players, lambda x: model(x)[:, :CLASSES], flow


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
        negatives=how.negatives,
        count=how.count,
        mining=how.mining,
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
    """The images in parts that fit into memory.

    >>> [len(block) for block in blocks(torch.zeros(2500, 1))]
    [1000, 1000, 500]
    """
    return [x[start : start + 1000] for start in range(0, len(x), 1000)]


def _scored(name: str, guesses: Tensor, part: Part) -> dict[str, float]:
    right = {"digit": guesses == part.digit, "texture": guesses == part.texture}
    return {f"{name}_{factor}": 100 * float(hits.float().mean()) for factor, hits in right.items()}


@torch.no_grad()
def _retrained(trained: nn.Module, parts: Images, device: str) -> dict[str, float]:
    """The linear layer fitted anew on the shifted validation images and their digits: it alone sees such data."""
    model = next(trained.children())
    body = nn.Sequential(*list(model.children())[:-1]).eval()
    rows = [torch.cat([body(prepared(x.to(device))).cpu() for x in blocks(part.x)]) for part in parts[1:]]
    layer = LogisticRegression(max_iter=5000, C=0.1).fit(rows[0].numpy(), parts.validation.digit.numpy())
    guesses = [torch.from_numpy(layer.predict(features.numpy())) for features in rows]
    named = zip(("validation", "test"), guesses, parts[1:], strict=True)
    return {key: value for name, guess, part in named for key, value in _scored(name, guess, part).items()}


def _tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Lists, as JSON has them, as the tuples that they were."""
    return {
        k: tuple(map(tuple, v)) if k == "pairs" else tuple(v) if isinstance(v, list) else v for k, v in settings.items()
    }
