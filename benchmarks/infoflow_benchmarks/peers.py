"""Estimators of other packages under our protocol, so that one run sets them beside ours; none is a dependency."""

from __future__ import annotations

import abc
import contextlib
import importlib
import importlib.util
import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch

from infoflow.core.checks import integer, is_classes, paired, samples
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.estimate import Estimate, Kind
from infoflow.estimators import registry

logger = logging.getLogger("infoflow_benchmarks")


@dataclass(frozen=True)
class Peer(abc.ABC):
    """What the adapters share: checked samples as NumPy arrays, and the peer's bare number as an `Estimate`."""

    package: ClassVar[str]  # as it is imported

    @classmethod
    def installed(cls) -> bool:
        """Whether the package can be imported here; nothing is imported to find out."""
        return importlib.util.find_spec(cls.package) is not None

    def estimate(self, x: Any, y: Any) -> Estimate:
        """The peer's I(X;Y) in nats. Raises InvalidArgument for data that it doesn't take."""
        if is_classes(x) or is_classes(y):
            raise InvalidArgument(
                f"{type(self).__name__} is set up for continuous samples; want floating-point x and y"
            )
        left, right = (samples(v, name, dtype=torch.float64) for v, name in ((x, "x"), (y, "y")))
        paired(left, right)
        nats = float(self._nats(left.cpu().numpy(), right.cpu().numpy()))
        if not np.isfinite(nats):
            raise InvalidArgument(f"{type(self).__name__} answered {nats} for these samples")
        parameters = {field.name: getattr(self, field.name) for field in fields(self)}
        return Estimate(nats, "I(X;Y)", Kind.POINT, type(self).__name__, len(left), parameters=parameters)

    @abc.abstractmethod
    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        """The peer's answer for samples of shapes (n, dx) and (n, dy)."""

    def _module(self, name: str) -> Any:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise InvalidArgument(f"{type(self).__name__} needs {self.package}, which is not here: {error}") from None


@dataclass(frozen=True)
class ScikitLearn(Peer):
    """`sklearn.feature_selection.mutual_info_regression`: KSG of one column against one, in nats.

    >>> from infoflow.tasks import bivariate
    >>> ScikitLearn().estimate(*bivariate(0.75).sample(2000, 0)).nats  # .413
    0.4
    """

    package: ClassVar[str] = "sklearn"
    n_neighbors: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        integer(self.n_neighbors, "n_neighbors")
        integer(self.seed, "seed", minimum=0)

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        if x.shape[1] > 1 or y.shape[1] > 1:
            raise InvalidArgument("scikit-learn takes one column of x and one of y")
        from sklearn.feature_selection import mutual_info_regression

        return float(mutual_info_regression(x, y[:, 0], n_neighbors=self.n_neighbors, random_state=self.seed)[0])


@dataclass(frozen=True)
class Infomeasure(Peer):
    """`infomeasure.mutual_information` with its own defaults; its KSG takes several columns."""

    package: ClassVar[str] = "infomeasure"
    approach: str = "ksg"

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        found = self._module("infomeasure").mutual_information(x, y, approach=self.approach)
        return float(found[0] if isinstance(found, tuple) else found)


@dataclass(frozen=True)
class TorchMist(Peer):
    """`torch_mist.utils.estimate_mi` as it comes: critics, stopping and evaluation (on the samples that it fitted).

    `held_out` is the share of the samples that is kept from it and evaluated on; 0, its default, keeps none. The
    global random state, which it draws from, is seeded and given back.
    """

    package: ClassVar[str] = "torch_mist"
    estimator: str = "smile"
    held_out: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise InvalidArgument(f"held_out is {self.held_out!r}; want a share from 0 to below 1")
        integer(self.seed, "seed", minimum=0)

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        estimate_mi = self._module("torch_mist.utils").estimate_mi
        x, y = x.astype(np.float32), y.astype(np.float32)
        kept = len(x) - round(self.held_out * len(x))
        more = {"test_data": (x[kept:], y[kept:])} if kept < len(x) else {}
        drawn = np.random.get_state()  # noqa: NPY002 -- it is what torch-mist draws from
        try:
            # It prints its defaults; only the command line of ours prints.
            with torch.random.fork_rng(devices=[]), torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()):
                torch.manual_seed(self.seed)
                np.random.seed(self.seed)  # noqa: NPY002
                found = estimate_mi((x[:kept], y[:kept]), self.estimator, verbose=False, logger=False, **more)
        finally:
            np.random.set_state(drawn)  # noqa: NPY002
        return float(found[0] if isinstance(found, tuple) else found)


@dataclass(frozen=True)
class BenchmarkMI(Peer):
    """An estimator of `bmi.estimators` by the name of its class, with its own defaults."""

    package: ClassVar[str] = "bmi"
    estimator: str = "InfoNCEEstimator"

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        kinds = self._module("bmi.estimators")
        if not hasattr(kinds, self.estimator):
            raise UnknownName("estimator of bmi", self.estimator, [k for k in dir(kinds) if k.endswith("Estimator")])
        return float(getattr(kinds, self.estimator)().estimate(x, y))


PEERS: Mapping[str, type[Peer]] = MappingProxyType(
    {"benchmark-mi": BenchmarkMI, "infomeasure": Infomeasure, "scikit-learn": ScikitLearn, "torch-mist": TorchMist}
)


def find(text: str) -> type[Peer] | None:
    """The peer that a text such as "torch-mist:estimator=nwj" names, or None for one of ours.

    >>> find("scikit-learn:n_neighbors=5"), find("ksg")
    (<class 'infoflow_benchmarks.peers.ScikitLearn'>, None)
    """
    return PEERS.get(text.partition(":")[0].strip().lower().replace("_", "-"))


def parse(text: str) -> Any:
    """An estimator, a peer's or ours, from `name:parameter=value,...`. Raises UnknownName with the nearest known one.

    >>> parse("scikit-learn:n_neighbors=5").n_neighbors
    5
    """
    peer = find(text)
    if peer is None:
        return registry.parse(text)
    name, parameters = registry.named_parameters(text)
    known = [field.name for field in fields(peer)]
    for parameter in parameters:
        if parameter not in known:
            raise UnknownName(f"parameter of {name}", parameter, known)
    return peer(**parameters)


def present(texts: list[str]) -> list[str]:
    """Those of the texts whose package is installed (ours always is); the others are logged.

    >>> present(["ksg", "scikit-learn"])
    ['ksg', 'scikit-learn']
    """
    kept = []
    for text in texts:
        peer = find(text)
        if peer is None or peer.installed():
            kept.append(text)
        else:
            logger.warning("%s is left out: the package %s is not installed", text, peer.package)
    return kept
