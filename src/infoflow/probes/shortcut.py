"""How much of each of two correlated factors a representation contains: whether a model relies on a shortcut."""

from __future__ import annotations

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

Array = np.ndarray[Any, Any]

# Fraction of their entropy that factors may share before a probe can no longer separate them.
_CORRELATED = 0.1
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
        "auto" for every activation and the output, or names of modules.
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
    >>> from infoflow.data import digits, procedural_textures, shifted_mnist
    >>> from infoflow.models import ConvolutionalNet, Convolution
    >>> parts = [shifted_mnist(s, digits=digits(), textures=procedural_textures()) for s in ("validation", "test")]
    >>> network = ConvolutionalNet((3, 32), [Convolution(8, 5, pool="max")], [16])
    >>> report = shortcut(network, parts, layers=["pool1"])
    >>> report.frame["factor"].tolist(), bool((report.frame["accuracy"] > 0.3).all())
    (['digit', 'texture'], True)
    """
    parts = list(loaders.values()) if isinstance(loaders, Mapping) else list(loaders)
    if len(parts) != 2:
        raise InvalidArgument("loaders", "two, one to fit probes on and one to test them on", got_text=f"{len(parts)}")
    where = torch.device(device) if device is not None else next((p.device for p in model.parameters()), None)
    reader = _Reader(model, layers, factors, n_samples, where)
    train_features, train_factors = reader.read(parts[0], "first")
    test_features, test_factors = reader.read(parts[1], "second")
    if sorted(train_factors) != sorted(test_factors):
        raise InvalidArgument("loaders", f"two with the same factors {sorted(train_factors)}", sorted(test_factors))
    found = {}
    for layer in train_features:
        scaler = StandardScaler().fit(train_features[layer])
        train, test = scaler.transform(train_features[layer]), scaler.transform(test_features[layer])
        for factor, values in train_factors.items():
            fitted = _Factor(layer, factor, values, test_factors[factor])
            found[layer, factor] = fitted.score(train, test, estimator)
    return ShortcutReport(found, tuple(_correlations(train_factors)))


@dataclass(frozen=True)
class _Factor:
    """Labels of one factor, to be predicted from one layer."""

    layer: str
    name: str
    train: Array
    test: Array

    def score(self, train: Array, test: Array, estimator: Estimator | None) -> FactorScore:
        """Accuracy of, and information from, a probe that is fitted to the training features."""
        values = np.unique(self.train)
        if len(values) < 2:
            raise InvalidArgument(f"factor {self.name!r}", "labels of at least two classes", values.tolist())
        probe = LogisticRegression(max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a probe near the optimum gives a valid bound, too
            probe.fit(train, self.train)
        seen = np.isin(self.test, values)
        if not seen.any():
            raise InvalidArgument(f"factor {self.name!r}", "labels with a class that is in both loaders")
        codes = np.searchsorted(values, self.test[seen])
        frequencies = np.bincount(codes, minlength=len(values)) / seen.sum()
        accuracy, chance = float((probe.predict(test) == self.test).mean()), float(frequencies.max())
        if estimator is not None:
            return FactorScore(accuracy, chance, estimator.estimate(test, self.test))
        entropy = float(-(frequencies[frequencies > 0] * np.log(frequencies[frequencies > 0])).sum())
        log_q = probe.predict_log_proba(test[seen])[np.arange(seen.sum()), codes]
        return FactorScore(accuracy, chance, self._bound(entropy, log_q))

    def _bound(self, entropy: float, log_q: Array) -> Estimate:
        nats = entropy + float(log_q.mean())
        half = 1.96 * float(log_q.std(ddof=1)) / len(log_q) ** 0.5 if len(log_q) > 1 else float("inf")
        return Estimate(
            nats,
            f"I({self.layer};{self.name})",
            Kind.LOWER_BOUND,
            "linear probe",
            n=len(log_q),
            ceiling=entropy,
            ceiling_name="H(F)",
            interval=Interval(nats - half, min(nats + half, entropy), "held-out samples"),
        )


def _correlations(factors: Mapping[str, Array]) -> Iterator[str]:
    """Warning for each two factors that are correlated in the data on which the probes are fitted."""
    names = list(factors)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            a, b = factors[first], factors[second]
            information, entropy = mutual_info_score(a, b), mutual_info_score(a, a)
            if entropy and information / entropy > _CORRELATED:
                yield (
                    f"{first} and {second} share {information / entropy:.0%} of their entropy in the data on which the "
                    "probes are fitted, so a probe for one may use the other. Use data in which they are independent."
                )


@dataclass(frozen=True)
class _Reader:
    """Reads features of layers and labels of factors from a loader."""

    model: nn.Module
    layers: str | Sequence[str]
    factors: Sequence[str] | None
    n_samples: int
    device: torch.device | None

    def read(self, loader: Any, which: str) -> tuple[dict[str, Array], dict[str, Array]]:
        """Features by layer and labels by factor; `which` loader it is, for messages."""
        capture: Capture | None = None
        kept: dict[str, list[Tensor]] = {}
        labels: dict[str, list[Array]] = {}
        count = 0
        for x, found in self._batches(loader):
            finite(x, f"the {which} loader's input")
            x = x[: self.n_samples - count].to(self.device)
            if capture is None:
                capture = Capture(self.model, self.layers, None, x[:1])
            for layer, value in capture(x).items():
                kept.setdefault(layer, []).append(_narrow(value.flatten(1).float()))
            for name, values in found.items():
                if len(values) < len(x):
                    raise InvalidArgument(f"factor {name!r}", f"one label for each of {len(x)} inputs", len(values))
                labels.setdefault(name, []).append(_integers(values, name)[: len(x)])
            count += len(x)
            if count >= self.n_samples:
                break
        if count < 10 or not labels:
            wanted = "two with at least 10 samples and a factor each"
            raise TooFewSamples("loaders", wanted, got_text=f"{count} samples and {len(labels)} factors in the {which}")
        joined = {layer: torch.cat(parts).numpy() for layer, parts in kept.items()}
        return joined, {name: np.concatenate(parts) for name, parts in labels.items()}

    def _batches(self, loader: Any) -> Iterator[tuple[Tensor, dict[str, Any]]]:
        if isinstance(loader, Dataset):
            if not loader.factors:
                got = f"{loader.name!r} without factors"
                raise InvalidArgument("loaders", "data sets with at least two labels per sample", got_text=got)
            for start in range(0, len(loader), 512):
                part = slice(start, start + 512)
                inputs = loader.inputs[part].astype(np.float32) / loader.scale
                yield torch.from_numpy(inputs), self._chosen({k: v[part] for k, v in loader.factors.items()})
            return
        if not isinstance(loader, Iterable):
            raise InvalidArgument("loaders", "data sets or iterables of batches", got_text=type(loader).__name__)
        for batch in loader:
            if not isinstance(batch, tuple | list) or len(batch) < 2 or not isinstance(batch[0], Tensor):
                forms = "iterables of (x, {name: labels}) or (x, first, second) with tensors x"
                raise InvalidArgument("loaders", forms, got_text=f"a batch of type {type(batch).__name__}")
            if isinstance(batch[1], Mapping):
                yield batch[0], self._chosen(batch[1])
                continue
            names = list(self.factors) if self.factors else [f"factor{i}" for i in range(1, len(batch))]
            if len(names) != len(batch) - 1:
                raise InvalidArgument("factors", f"{len(batch) - 1} names, one per label of a batch", names)
            yield batch[0], dict(zip(names, batch[1:], strict=True))

    def _chosen(self, found: Mapping[str, Any]) -> dict[str, Any]:
        for name in self.factors or ():
            if name not in found:
                raise UnknownName("factor", name, found)
        return {name: found[name] for name in self.factors or found}


def _narrow(rows: Tensor) -> Tensor:
    if rows.shape[1] <= _WIDEST:
        return rows
    generator = torch.Generator().manual_seed(0)
    projection = torch.randn(rows.shape[1], _WIDEST, generator=generator)
    return torch.mm(rows, projection / _WIDEST**0.5)


def _integers(values: Any, name: str) -> Array:
    """Integer labels (n,) as they are numbered, since codes would differ between batches."""
    classes(values, name)
    return np.asarray(values).reshape(-1).astype(np.int64)
