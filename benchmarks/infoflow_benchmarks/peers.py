"""Estimators of other packages with the interface of ours, for comparison in the same run; none is a dependency."""

from __future__ import annotations

import abc
import contextlib
import importlib
import importlib.util
import inspect
import io
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch

from infoflow.core.checks import is_classes, paired, samples
from infoflow.core.errors import InfoflowError, InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import Number, OneOf, PositiveInt, Seed, Settings, check
from infoflow.estimators import registry

logger = logging.getLogger("infoflow_benchmarks")

NO_ESTIMATE = "No estimate"
"""How the message begins where samples were accepted but gave no number."""


@dataclass(frozen=True)
class Peer(Settings, abc.ABC):
    """Base class of the adapters: it checks the samples, and returns the other package's number as an `Estimate`."""

    package: ClassVar[str]
    """Name under which the package is imported."""

    @classmethod
    def installed(cls) -> bool:
        """Return whether the package can be imported, without importing it."""
        return importlib.util.find_spec(cls.package) is not None

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats with the other package.

        Parameters
        ----------
        x : array-like of shape (n, dx) or (n,)
            Continuous samples.
        y : array-like of shape (n, dy) or (n,)
            Continuous samples.

        Returns
        -------
        Estimate
            A point estimate.

        Raises
        ------
        InvalidArgument
            If the package cannot handle the samples, fails, returns no finite number, or is not installed.
        """
        for name, values in (("x", x), ("y", y)):
            if is_classes(values):
                raise InvalidArgument(name, "continuous (floating-point) samples", got_text="classes")
        left, right = (samples(v, name, dtype=torch.float64) for v, name in ((x, "x"), (y, "y")))
        paired(left, right)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of deprecations, in code that is not ours
                nats = float(self._nats(left.cpu().numpy(), right.cpu().numpy()))
        except InfoflowError:
            raise
        except Exception as error:  # of any class, since each package has its own
            failure = f"{NO_ESTIMATE}: {type(self).__name__} failed with {type(error).__name__}: {error}"
            raise InvalidArgument(failure) from error
        if not np.isfinite(nats):
            raise InvalidArgument(f"{NO_ESTIMATE}: {type(self).__name__} returned {nats} for these samples.")
        parameters = {field.name: getattr(self, field.name) for field in fields(self)}
        return Estimate(nats, "I(X;Y)", Kind.POINT, type(self).__name__, len(left), parameters=parameters)

    @abc.abstractmethod
    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        """The other package's result for samples of shapes (n, dx) and (n, dy)."""

    def _module(self, name: str) -> Any:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise InvalidArgument(
                f"{type(self).__name__} requires {self.package}. It failed to import: {error}."
            ) from None


@dataclass(frozen=True)
class ScikitLearn(Peer):
    """`sklearn.feature_selection.mutual_info_regression`: the KSG estimator for one column of x and one of y.

    Parameters
    ----------
    n_neighbors
        Number of neighbors k.
    seed
        Seed of the noise that scikit-learn adds to the samples.

    Examples
    --------
    >>> from infoflow.tasks import bivariate
    >>> ScikitLearn().estimate(*bivariate(0.75).sample(2000, 0)).nats  # exact: 0.413
    0.4
    """

    package: ClassVar[str] = "sklearn"
    n_neighbors: PositiveInt = 3
    seed: Seed = 0

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        _one_column(x, y)
        from sklearn.feature_selection import mutual_info_regression

        return float(mutual_info_regression(x, y[:, 0], n_neighbors=self.n_neighbors, random_state=self.seed)[0])


@dataclass(frozen=True)
class Infomeasure(Peer):
    """`infomeasure.mutual_information` with its own defaults; its KSG estimator accepts several columns.

    Parameters
    ----------
    approach
        Name of the estimator in infomeasure.
    """

    package: ClassVar[str] = "infomeasure"
    approach: str = "ksg"

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        found = self._module("infomeasure").mutual_information(x, y, approach=self.approach)
        return float(found[0] if isinstance(found, tuple) else found)


@dataclass(frozen=True)
class TorchMist(Peer):
    """`torch_mist.utils.estimate_mi` with its own critics, stopping and evaluation.

    Parameters
    ----------
    estimator
        Name of the estimator in torch-mist.
    held_out
        Share of the samples that is held out for evaluation; 0, torch-mist's default, evaluates on the samples that
        were fitted.
    seed
        Seed of the global random state, from which torch-mist draws; it is restored afterwards.
    """

    package: ClassVar[str] = "torch_mist"
    estimator: str = "smile"
    held_out: Annotated[float, Number(0, 1, open_high=True)] = 0.0
    seed: Seed = 0

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        estimate_mi = self._module("torch_mist.utils").estimate_mi
        x, y = x.astype(np.float32), y.astype(np.float32)
        fitted = len(x) - round(self.held_out * len(x))
        more = {"test_data": (x[fitted:], y[fitted:])} if fitted < len(x) else {}
        with _own_random_state(self.seed):
            found = estimate_mi((x[:fitted], y[:fitted]), self.estimator, verbose=False, logger=False, **more)
        return float(found[0] if isinstance(found, tuple) else found)


@dataclass(frozen=True)
class BenchmarkMI(Peer):
    """An estimator of `bmi.estimators` with its own defaults.

    Parameters
    ----------
    estimator
        Name of the class.
    """

    package: ClassVar[str] = "bmi"
    estimator: str = "InfoNCEEstimator"

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        kinds = self._module("bmi.estimators")
        known = OneOf(tuple(kind for kind in dir(kinds) if kind.endswith("Estimator")))
        check(self.estimator, "estimator of bmi", known)
        kind = getattr(kinds, self.estimator)
        silent = {"verbose": False} if "verbose" in inspect.signature(kind).parameters else {}
        with contextlib.redirect_stderr(io.StringIO()):  # a progress bar
            return float(kind(**silent).estimate(x, y))


@dataclass(frozen=True)
class Ennemi(Peer):
    """`ennemi.estimate_mi`: the KSG estimator for one column of x and one of y, on values scaled to unit variance.

    Parameters
    ----------
    k
        Number of neighbors.
    """

    package: ClassVar[str] = "ennemi"
    k: PositiveInt = 3

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        _one_column(x, y)
        return float(self._module("ennemi").estimate_mi(y[:, 0], x[:, 0], k=self.k, max_threads=1)[0, 0])


@dataclass(frozen=True)
class NeuralMI(Peer):
    """`neural_mi.run` for independent samples, with its own critic, stopping and evaluation.

    Parameters
    ----------
    mode
        "estimate", one estimate, or "rigorous", with the extrapolation to infinitely many samples.
    seed
        Seed of the global random state, from which NeuralMI draws; it is restored afterwards.
    """

    package: ClassVar[str] = "neural_mi"
    mode: Literal["estimate", "rigorous"] = "estimate"
    seed: Seed = 0

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        package = self._module("neural_mi")
        with _own_random_state(self.seed):
            split = package.Split(mode="random")
            found = package.run(x, y, mode=self.mode, split=split, seed=self.seed, show_progress=False, verbose=False)
        return float(found.mi_estimate) * math.log(2)  # it returns bits


def _one_column(x: np.ndarray, y: np.ndarray) -> None:
    if x.shape[1] > 1 or y.shape[1] > 1:
        raise InvalidArgument("x and y", "one column each", got_text=f"{x.shape[1]} and {y.shape[1]} columns")


@contextlib.contextmanager
def _own_random_state(seed: int) -> Iterator[None]:
    """Seed the global states that another package draws from, silence what it prints, and restore the states."""
    drawn = np.random.get_state()  # noqa: NPY002
    silent = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad(), silent[0], silent[1]:
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            yield
    finally:
        np.random.set_state(drawn)  # noqa: NPY002


PEERS: Mapping[str, type[Peer]] = MappingProxyType(
    {
        "benchmark-mi": BenchmarkMI,
        "ennemi": Ennemi,
        "infomeasure": Infomeasure,
        "neural-mi": NeuralMI,
        "scikit-learn": ScikitLearn,
        "torch-mist": TorchMist,
    }
)


def find(text: str) -> type[Peer] | None:
    """Return the adapter that a text such as "torch-mist:estimator=nwj" names, or None for an estimator of infoflow.

    Examples
    --------
    >>> find("scikit-learn:n_neighbors=5"), find("ksg")
    (<class 'infoflow_benchmarks.peers.ScikitLearn'>, None)
    """
    return PEERS.get(text.partition(":")[0].strip().lower().replace("_", "-"))


def parse(text: str) -> Any:
    """Create an estimator, of infoflow or of another package, from `name:parameter=value,...`.

    Examples
    --------
    >>> parse("scikit-learn:n_neighbors=5").n_neighbors
    5
    """
    peer = find(text)
    if peer is None:
        return registry.parse(text)
    name, parameters = registry.named_parameters(text)
    known = OneOf(tuple(field.name for field in fields(peer)))
    for parameter in parameters:
        check(parameter, f"parameter of {name}", known)
    return peer(**parameters)


def installed(texts: Sequence[str]) -> dict[str, Any]:
    """Create the estimators whose package is installed, by their texts, and log the others.

    Examples
    --------
    >>> list(installed(["ksg", "scikit-learn"]))
    ['ksg', 'scikit-learn']
    """
    for text in texts:
        peer = find(text)
        if peer is not None and not peer.installed():
            logger.warning(
                "%s is left out because the package %s is not installed; install it to include the estimator.",
                text,
                peer.package,
            )
    return {text: parse(text) for text in texts if (peer := find(text)) is None or peer.installed()}
