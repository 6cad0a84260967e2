"""How much of each of two correlated factors a representation contains: whether a model relies on a shortcut."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from infoflow.core.capture import Capture
from infoflow.core.checks import classes, finite
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator
from infoflow.core.settings import Integer, validated
from infoflow.data import Dataset
from infoflow.entropies.discrete import plug_in

Array = np.ndarray[Any, Any]

# Fraction of their entropy that factors may share before a probe can no longer separate them.
_CORRELATED = 0.1
_COLUMNS = ["layer", "factor", "accuracy", "chance", "nats", "low", "high", "ceiling", "share"]
# Largest number of features of a probe; more are projected at random (Johnson and Lindenstrauss).
_WIDEST = 1024


class FactorScore(NamedTuple):
    """What one layer contains of one factor.

    Parameters
    ----------
    accuracy
        Accuracy of the linear probe.
    chance
        Frequency of the most frequent class.
    information
        Mutual information of layer and factor.

    Examples
    --------
    >>> FactorScore(0.9, 0.1, Estimate(1.0, "I", Kind.POINT, "e", n=9)).accuracy
    0.9
    """

    accuracy: float
    chance: float
    information: Estimate


@dataclass(frozen=True)
class ShortcutReport:
    """Result of `shortcut`: what each layer contains of each factor, printed as a table.

    Parameters
    ----------
    found
        Score of each (layer, factor).
    warnings
        Warnings about the data.

    Examples
    --------
    >>> score = FactorScore(0.9, 0.1, Estimate(1.0, "I", Kind.POINT, "e", n=9))
    >>> ShortcutReport({("linear", "digit"): score}, ()).frame[["layer", "factor", "accuracy", "nats"]].values.tolist()
    [['linear', 'digit', 0.9, 1.0]]
    """

    found: Mapping[tuple[str, str], FactorScore]
    warnings: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """Row for each layer and factor: accuracy, chance, nats, low, high, ceiling, share (of the ceiling)."""
        rows = []
        for (layer, factor), (accuracy, chance, information) in self.found.items():
            nats, ceiling, interval = information.nats, information.ceiling, information.interval
            low, high = (interval.low, interval.high) if interval else (float("nan"),) * 2
            share = max(0.0, nats) / ceiling if ceiling else 0.0
            rows.append((layer, factor, accuracy, chance, nats, low, high, ceiling, share))
        return pd.DataFrame(rows, columns=_COLUMNS)

    def __str__(self) -> str:
        table = str(self.frame.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
        return "\n".join([table, *(f"warning: {text}" for text in self.warnings)])


@validated
def shortcut(
    model: nn.Module,
    loaders: Sequence[Any] | Mapping[str, Any],
    *,
    layers: str | Sequence[str] = "auto",
    estimator: Estimator | None = None,
    factors: Sequence[str] | None = None,
    n_samples: Annotated[int, Integer(10)] = 10_000,
    device: torch.device | str | None = None,
) -> ShortcutReport:
    """Measure the accuracy of linear probes for, and the information about, two or more labels in a model's layers.

    Parameters
    ----------
    model
        Module; it is not changed.
    loaders
        Two loaders, one to fit probes on and one to test them on, as a sequence or a mapping
        {"train": ..., "test": ...}. A loader is a `Dataset` with factors, or yields batches
        (x, {"digit": ..., "texture": ...}) or (x, first, second).
    layers
        "auto" for every activation and the output, "leaves" for every module with parameters, or names of modules.
    estimator
        Estimator of I(T;F) on the test samples; None is a lower bound from the probe.
    factors
        Names of the factors to measure, or names for the labels of (x, first, second).
    n_samples
        Largest number of samples of each loader.
    device
        Device of the inputs; None is the device of the model.

    Returns
    -------
    ShortcutReport
        Accuracies, information, and warnings about correlated factors.

    Raises
    ------
    InvalidArgument
        If there are not two loaders, labels have another length than inputs, or a factor is constant.
    TooFewSamples
        If a loader has fewer than 10 samples.
    UnknownName
        If a layer or factor does not exist.

    Notes
    -----
    The lower bound is I(T;F) ≥ H(F) − CE(q(F|T)) with the probe q, both on test samples. Probes are logistic
    regressions on standardized features. Both loaders should have *independent* factors, as in a shifted validation
    set: if factors are correlated, a probe for one can predict it from the other, and the report contains a warning.

    Examples
    --------
    >>> from infoflow.data import colored_mnist, digits
    >>> from infoflow.models import ConvolutionalNet, Convolution
    >>> parts = [colored_mnist(s, digits=digits()) for s in ("validation", "test")]
    >>> network = ConvolutionalNet((3, 8), [Convolution(8, 3, pool="max")], [16])
    >>> report = shortcut(network, parts, layers=["pool1"])
    >>> report.frame["factor"].tolist(), bool((report.frame["accuracy"] > 0.3).all())
    (['digit', 'color'], True)
    """
    parts = list(loaders.values()) if isinstance(loaders, Mapping) else list(loaders)
    if len(parts) != 2:
        raise InvalidArgument("loaders", "two, one to fit probes on and one to test them on", got_text=f"{len(parts)}")
    where = torch.device(device) if device is not None else next((p.device for p in model.parameters()), None)

    def read(loader: Any, which: str) -> tuple[dict[str, Array], dict[str, Array]]:
        return _read(model, layers, _batches(loader, factors), n_samples, where, which)

    train, train_factors = read(parts[0], "first")
    test, test_factors = read(parts[1], "second")
    if sorted(train_factors) != sorted(test_factors):
        raise InvalidArgument("loaders", f"two with the same factors {sorted(train_factors)}", sorted(test_factors))
    found = {}
    for layer in train:
        scaler = StandardScaler().fit(train[layer])
        x, report = scaler.transform(train[layer]), scaler.transform(test[layer])
        for factor, values in train_factors.items():
            found[layer, factor] = _score(layer, factor, (x, values), (report, test_factors[factor]), estimator)
    return ShortcutReport(found, tuple(_correlations(train_factors)))


def _score(
    layer: str, factor: str, train: tuple[Array, Array], test: tuple[Array, Array], estimator: Estimator | None
) -> FactorScore:
    """Accuracy of, and information from, a probe for a factor that is fitted to a layer's training features."""
    (x, y), (report, truth) = train, test
    values = np.unique(y)
    if len(values) < 2:
        raise InvalidArgument(f"factor {factor!r}", "labels of at least two classes", values.tolist())
    seen = np.isin(truth, values)
    if not seen.any():
        raise InvalidArgument(f"factor {factor!r}", "labels with a class that is in both loaders")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a probe near the optimum gives a valid bound, too
        probe = LogisticRegression(max_iter=300).fit(x, y)
    codes = np.searchsorted(values, truth[seen])
    counts = np.bincount(codes, minlength=len(values))
    accuracy, chance = float((probe.predict(report) == truth).mean()), float(counts.max() / seen.sum())
    if estimator is not None:
        return FactorScore(accuracy, chance, estimator.estimate(report, truth))
    entropy = float(plug_in(counts))
    log_q = probe.predict_log_proba(report[seen])[np.arange(len(codes)), codes]
    nats = entropy + float(log_q.mean())
    half = 1.96 * float(log_q.std(ddof=1)) / len(log_q) ** 0.5 if len(log_q) > 1 else float("inf")
    bound = Estimate(
        nats,
        f"I({layer};{factor})",
        Kind.LOWER_BOUND,
        "linear probe",
        n=len(log_q),
        ceiling=entropy,
        ceiling_name="H(F)",
        interval=Interval(nats - half, min(nats + half, entropy), "held-out samples"),
    )
    return FactorScore(accuracy, chance, bound)


def _correlations(factors: Mapping[str, Array]) -> Iterator[str]:
    """Warning for each two factors that are correlated in the data on which the probes are fitted."""
    for (first, a), (second, b) in itertools.combinations(factors.items(), 2):
        information, entropy = mutual_info_score(a, b), mutual_info_score(a, a)
        if entropy and information / entropy > _CORRELATED:
            yield (
                f"{first} and {second} share {information / entropy:.0%} of their entropy in the data on which the "
                "probes are fitted, so a probe for one may use the other. Use data in which they are independent."
            )


def _read(
    model: nn.Module,
    layers: str | Sequence[str],
    batches: Iterable[tuple[Tensor, dict[str, Any]]],
    n_samples: int,
    device: torch.device | None,
    which: str,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Features by layer and labels by factor; `which` loader it is, for messages."""
    capture: Capture | None = None
    kept: dict[str, list[Tensor]] = {}
    labels: dict[str, list[Array]] = {}
    count = 0
    for x, found in batches:
        finite(x, f"the {which} loader's input")
        x = x[: n_samples - count].to(device)
        if capture is None:
            capture = Capture(model, layers, None, x[:1])
        for layer, value in capture(x).items():
            kept.setdefault(layer, []).append(_narrow(value.flatten(1).float()))
        for name, values in found.items():
            if len(values) < len(x):
                raise InvalidArgument(f"factor {name!r}", f"one label for each of {len(x)} inputs", len(values))
            classes(values, name)  # as they are numbered, since codes would differ between batches
            labels.setdefault(name, []).append(np.asarray(values).reshape(-1)[: len(x)].astype(np.int64))
        count += len(x)
        if count >= n_samples:
            break
    if count < 10 or not labels:
        wanted = "two with at least 10 samples and a factor each"
        raise TooFewSamples("loaders", wanted, got_text=f"{count} samples and {len(labels)} factors in the {which}")
    joined = {layer: torch.cat(parts).numpy() for layer, parts in kept.items()}
    return joined, {name: np.concatenate(parts) for name, parts in labels.items()}


def _batches(loader: Any, factors: Sequence[str] | None) -> Iterator[tuple[Tensor, dict[str, Any]]]:
    if isinstance(loader, Dataset):
        if not loader.factors:
            got = f"{loader.name!r} without factors"
            raise InvalidArgument("loaders", "data sets with at least two labels per sample", got_text=got)
        loader = _parts(loader)
    if not isinstance(loader, Iterable):
        raise InvalidArgument("loaders", "data sets or iterables of batches", got_text=type(loader).__name__)
    for batch in loader:
        if not isinstance(batch, tuple | list) or len(batch) < 2 or not isinstance(batch[0], Tensor):
            forms = "iterables of (x, {name: labels}) or (x, first, second) with tensors x"
            raise InvalidArgument("loaders", forms, got_text=f"a batch of type {type(batch).__name__}")
        if isinstance(batch[1], Mapping):
            names = list(factors or batch[1])
            if unknown := [name for name in names if name not in batch[1]]:
                raise UnknownName("factor", unknown[0], batch[1])
            yield batch[0], {name: batch[1][name] for name in names}
            continue
        names = list(factors or (f"factor{i}" for i in range(1, len(batch))))
        if len(names) != len(batch) - 1:
            raise InvalidArgument("factors", f"{len(batch) - 1} names, one per label of a batch", names)
        yield batch[0], dict(zip(names, batch[1:], strict=True))


def _parts(data: Dataset) -> Iterator[tuple[Tensor, dict[str, Array]]]:
    for start in range(0, len(data), 512):
        part = slice(start, start + 512)
        inputs = torch.from_numpy(data.inputs[part].astype(np.float32) / data.scale)
        yield inputs, {name: values[part] for name, values in data.factors.items()}


def _narrow(rows: Tensor) -> Tensor:
    if rows.shape[1] <= _WIDEST:
        return rows
    generator = torch.Generator().manual_seed(0)
    projection = torch.randn(rows.shape[1], _WIDEST, generator=generator)
    return torch.mm(rows, projection / _WIDEST**0.5)
