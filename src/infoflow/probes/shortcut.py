"""How much of each of two correlated factors a representation keeps: does the model live on a shortcut?"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from infoflow.core.capture import Capture
from infoflow.core.checks import classes, finite, integer
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator
from infoflow.data import Dataset

Array = np.ndarray[Any, Any]

# Factors that share more than this of their entropy can't be told apart by a probe that was fitted on them.
_CORRELATED = 0.1
# Most features that a probe is fitted on; more are projected at random (Johnson and Lindenstrauss).
_WIDEST = 1024


@dataclass(frozen=True)
class ShortcutReport:
    """What each layer keeps of each factor; `print` shows the table, `frame` is it.

    >>> report = ShortcutReport({("linear", "digit"): (0.9, 0.1, Estimate(1.0, "I", Kind.POINT, "e", n=9))}, ())
    >>> report.frame[["layer", "factor", "accuracy", "nats"]].values.tolist()
    [['linear', 'digit', 0.9, 1.0]]
    """

    found: Mapping[tuple[str, str], tuple[float, float, Estimate]]
    """(layer, factor) -> accuracy of the linear probe, that of the most frequent class, mutual information."""
    warnings: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each layer and factor: accuracy, chance, nats, low, high, ceiling, share (of the ceiling)."""
        rows = []
        for (layer, factor), (accuracy, chance, information) in self.found.items():
            interval = information.interval
            rows.append(
                {
                    "layer": layer,
                    "factor": factor,
                    "accuracy": accuracy,
                    "chance": chance,
                    "nats": information.nats,
                    "low": interval.low if interval else float("nan"),
                    "high": interval.high if interval else float("nan"),
                    "ceiling": information.ceiling,
                    "share": max(0.0, information.nats) / information.ceiling if information.ceiling else 0.0,
                }
            )
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        table = str(self.frame.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
        return "\n".join([table, *(f"warning: {text}" for text in self.warnings)])


def shortcut(
    model: nn.Module,
    loaders: Sequence[Any] | Mapping[str, Any],
    *,
    layers: str | Sequence[str] = "auto",
    estimator: Estimator | None = None,
    factors: Sequence[str] | None = None,
    samples: int = 10_000,
    device: torch.device | str | None = None,
) -> ShortcutReport:
    """Linear-probe accuracy of, and information about, each of two (or more) labels in a model's layers.

        I(T;F) ≥ H(F) − CE(q(F|T)),   q the probe, both on held-out samples

    - `loaders`: two, to fit probes on and to report on, as a sequence or as {"train": ..., "test": ...}. Each is a
      `Dataset` with factors, or yields batches (x, {"digit": ..., "texture": ...}) or (x, first, second).
    - `layers`: "auto" (every activation and the output) or names of modules; the model isn't changed.
    - `estimator`: one of ours for I(T;F) on the report's samples, in place of the probe's lower bound.
    - `factors`: names of these to look at, or names for the labels of (x, first, second).
    - `samples`: at most so many of each loader.

    Probes are logistic regressions on standardized features. Fit and report on data in which the factors are
    *independent* (a shifted validation set): where they agree, a probe for one reads the other, and the report warns.

    Raises InvalidArgument (loaders, labels of different length), TooFewSamples, UnknownName (layers).

    >>> from infoflow.data import digits, procedural_textures, shifted_mnist
    >>> from infoflow.models import FlowClassifier
    >>> parts = [shifted_mnist(s, digits=digits(), textures=procedural_textures()) for s in ("validation", "test")]
    >>> report = shortcut(FlowClassifier(width=0.25), parts, layers=["pool2"])
    >>> report.frame["factor"].tolist(), bool((report.frame["accuracy"] > 0.3).all())
    (['digit', 'texture'], True)
    """
    fit, held = _two(loaders)
    integer(samples, "samples", minimum=10)
    where = torch.device(device) if device is not None else next((p.device for p in model.parameters()), None)
    known, known_factors = _features(model, fit, layers, factors, samples, where, "first")
    asked, asked_factors = _features(model, held, layers, factors, samples, where, "second")
    if sorted(known_factors) != sorted(asked_factors):
        raise InvalidArgument(
            f"the loaders name different factors, {sorted(known_factors)} and {sorted(asked_factors)}; want the same"
        )
    found = {}
    for layer in known:
        scaler = StandardScaler().fit(known[layer])
        train, test = scaler.transform(known[layer]), scaler.transform(asked[layer])
        for name, values in known_factors.items():
            found[layer, name] = _probed(train, values, test, asked_factors[name], f"{layer};{name}", estimator)
    return ShortcutReport(found, tuple(_agreements(known_factors)))


def _probed(
    train: Array, known: Array, test: Array, asked: Array, name: str, estimator: Estimator | None
) -> tuple[float, float, Estimate]:
    values = np.unique(known)
    if len(values) < 2:
        raise InvalidArgument(f"factor {name.partition(';')[2]!r} is constant; want two classes or more")
    probe = LogisticRegression(max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # close to the optimum is a valid probe, and bound
        probe.fit(train, known)
    seen = np.isin(asked, values)
    if not seen.any():
        raise InvalidArgument(f"no class of {name.partition(';')[2]!r} is in both loaders; want the same classes")
    accuracy = float((probe.predict(test) == asked).mean())
    frequencies = np.bincount(np.searchsorted(values, asked[seen]), minlength=len(values)) / seen.sum()
    entropy = float(-(frequencies[frequencies > 0] * np.log(frequencies[frequencies > 0])).sum())
    if estimator is not None:
        return accuracy, float(frequencies.max()), estimator.estimate(test, asked)
    log_q = probe.predict_log_proba(test[seen])[np.arange(seen.sum()), np.searchsorted(values, asked[seen])]
    nats = entropy + float(log_q.mean())
    half = 1.96 * float(log_q.std(ddof=1)) / len(log_q) ** 0.5 if len(log_q) > 1 else float("inf")
    return (
        accuracy,
        float(frequencies.max()),
        Estimate(
            nats,
            f"I({name})",
            Kind.LOWER_BOUND,
            "linear probe",
            n=len(log_q),
            ceiling=entropy,
            ceiling_name="H(F)",
            interval=Interval(nats - half, min(nats + half, entropy), "held-out samples"),
        ),
    )


def _agreements(factors: Mapping[str, Array]) -> Iterator[str]:
    """A warning for each two factors that tell of each other where the probes were fitted."""
    names = list(factors)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            a, b = factors[first], factors[second]
            information, entropy = mutual_info_score(a, b), mutual_info_score(a, a)
            if entropy and information / entropy > _CORRELATED:
                yield (
                    f"{first} and {second} share {information / entropy:.0%} of their entropy in the data that the "
                    "probes are fitted on, so a probe for one may read the other; "
                    "want data in which they are independent"
                )


def _two(loaders: Any) -> tuple[Any, Any]:
    parts = list(loaders.values()) if isinstance(loaders, Mapping) else list(loaders)
    if len(parts) != 2:
        raise InvalidArgument(f"loaders holds {len(parts)}; want two, one to fit probes on and one to report on")
    return parts[0], parts[1]


def _features(
    model: nn.Module,
    loader: Any,
    layers: str | Sequence[str],
    factors: Sequence[str] | None,
    samples: int,
    device: torch.device | None,
    which: str,
) -> tuple[dict[str, Array], dict[str, Array]]:
    capture: Capture | None = None
    kept: dict[str, list[Tensor]] = {}
    labels: dict[str, list[Array]] = {}
    count = 0
    for x, found in _batches(loader, factors):
        finite(x, f"the {which} loader's input")
        x = x[: samples - count].to(device)
        if capture is None:
            capture = Capture(model, layers, None, x[:1])
        for layer, value in capture(x).items():
            kept.setdefault(layer, []).append(_narrow(value.flatten(1).float()))
        for name, values in found.items():
            if len(values) < len(x):
                raise InvalidArgument(f"{name} has {len(values)} labels for {len(x)} inputs; want one each")
            labels.setdefault(name, []).append(classes_as_given(values, name)[: len(x)])
        count += len(x)
        if count >= samples:
            break
    if count < 10 or not labels:
        raise TooFewSamples(
            f"the {which} loader holds {count} samples with {len(labels)} factors; want at least 10 and 1"
        )
    joined = {layer: torch.cat(parts).numpy() for layer, parts in kept.items()}
    return joined, {name: np.concatenate(parts) for name, parts in labels.items()}


def _narrow(rows: Tensor) -> Tensor:
    if rows.shape[1] <= _WIDEST:
        return rows
    generator = torch.Generator().manual_seed(0)
    projection = torch.randn(rows.shape[1], _WIDEST, generator=generator)
    return torch.mm(rows, projection / _WIDEST**0.5)


def classes_as_given(values: Any, name: str) -> Array:
    """Integer labels (n,) as they are (their codes would differ between batches), or the error that says why not."""
    classes(values, name)
    return np.asarray(values).reshape(-1).astype(np.int64)


def _batches(loader: Any, factors: Sequence[str] | None) -> Iterator[tuple[Tensor, dict[str, Any]]]:
    if isinstance(loader, Dataset):
        if not loader.factors:
            raise InvalidArgument(
                f"data set {loader.name!r} has no factors; want one with at least two labels a sample"
            )
        for start in range(0, len(loader), 512):
            part = slice(start, start + 512)
            inputs = loader.inputs[part].astype(np.float32) / loader.scale
            yield torch.from_numpy(inputs), _chosen({k: v[part] for k, v in loader.factors.items()}, factors)
        return
    if not isinstance(loader, Iterable):
        raise InvalidArgument(f"a loader is a {type(loader).__name__}; want a Dataset, or batches (x, labels)")
    for batch in loader:
        if not isinstance(batch, tuple | list) or len(batch) < 2 or not isinstance(batch[0], Tensor):
            raise InvalidArgument("a loader yields no (x, {name: labels}) or (x, first, second) with x a tensor")
        if isinstance(batch[1], Mapping):
            yield batch[0], _chosen(batch[1], factors)
            continue
        names = list(factors) if factors else [f"factor{i}" for i in range(1, len(batch))]
        if len(names) != len(batch) - 1:
            raise InvalidArgument(f"factors names {len(names)}, but batches hold {len(batch) - 1} labels; want as many")
        yield batch[0], dict(zip(names, batch[1:], strict=True))


def _chosen(found: Mapping[str, Any], factors: Sequence[str] | None) -> dict[str, Any]:
    missing = [name for name in factors or () if name not in found]
    if missing:
        raise InvalidArgument(f"there is no factor {missing[0]!r}; the data have {sorted(found)}")
    return {name: found[name] for name in factors or found}
