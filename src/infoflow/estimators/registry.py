"""The names by which estimators are called, and the call itself."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

from infoflow.checks import integer
from infoflow.errors import InvalidArgument, UnknownName
from infoflow.estimators.adaptive_binning import AdaptiveBinning
from infoflow.estimators.added_noise import AddedNoise
from infoflow.estimators.binning import Binning
from infoflow.estimators.canonical_correlation import CCA
from infoflow.estimators.class_neighbours import ClassNeighbours
from infoflow.estimators.classifier_bound import ClassifierBound
from infoflow.estimators.compressed import Compressed
from infoflow.estimators.decision_rule import DecisionRule
from infoflow.estimators.density import (
    DifferenceOfEntropies,
    FlowMatching,
    GaussianMixtureInformation,
    NormalisingFlow,
)
from infoflow.estimators.dependence_graph import DependenceGraph
from infoflow.estimators.discrete import Discrete
from infoflow.estimators.gaussian import Gaussian
from infoflow.estimators.gaussian_dropout import GaussianDropoutInformation
from infoflow.estimators.kernel_density import KernelDensity
from infoflow.estimators.kozachenko_leonenko import KozachenkoLeonenko
from infoflow.estimators.ksg import KSG
from infoflow.estimators.matrix_renyi import MatrixRenyi
from infoflow.estimators.mixed import MixedKSG
from infoflow.estimators.neural import (
    DIME,
    MINE,
    NWJ,
    SMILE,
    AnchoredInfoNCE,
    DonskerVaradhan,
    InfoNCE,
    JensenShannon,
    Neural,
)
from infoflow.estimators.quantised import QuantisedInformation
from infoflow.estimators.recommend import Auto
from infoflow.estimators.sample_propagation import SamplePropagation
from infoflow.estimators.significance import interval as resampled
from infoflow.estimators.significance import shuffled_null
from infoflow.estimators.sliced import Sliced
from infoflow.interface import Estimate, Estimator

ESTIMATORS: dict[str, type] = {
    "adaptive-binning": AdaptiveBinning,
    "added-noise": AddedNoise,
    "anchored-infonce": AnchoredInfoNCE,
    "auto": Auto,
    "binning": Binning,
    "cca": CCA,
    "class-neighbours": ClassNeighbours,
    "classifier-bound": ClassifierBound,
    "compressed": Compressed,
    "decision-rule": DecisionRule,
    "dependence-graph": DependenceGraph,
    "dime": DIME,
    "discrete": Discrete,
    "doe": DifferenceOfEntropies,
    "donsker-varadhan": DonskerVaradhan,
    "flow": NormalisingFlow,
    "flow-matching": FlowMatching,
    "gaussian": Gaussian,
    "gaussian-dropout": GaussianDropoutInformation,
    "gaussian-mixture": GaussianMixtureInformation,
    "infonce": InfoNCE,
    "jensen-shannon": JensenShannon,
    "kernel-density": KernelDensity,
    "kozachenko-leonenko": KozachenkoLeonenko,
    "ksg": KSG,
    "matrix-renyi": MatrixRenyi,
    "mine": MINE,
    "mixed": MixedKSG,
    "neural": Neural,
    "nwj": NWJ,
    "quantised": QuantisedInformation,
    "sample-propagation": SamplePropagation,
    "sliced": Sliced,
    "smile": SMILE,
}


def create(name: str, **parameters: Any) -> Any:
    """An estimator by its name; unknown names and parameters are refused with the nearest known one.

    >>> create("binning", width=0.5)
    Binning(...width=0.5...)
    """
    key = _key(name)
    if key not in ESTIMATORS:
        raise UnknownName("estimator", name, ESTIMATORS)
    kind = ESTIMATORS[key]
    known = [f.name for f in dataclasses.fields(kind) if f.init]
    for parameter in parameters:
        if parameter not in known:
            raise UnknownName(f"parameter of {key}", parameter, known)
    return kind(**parameters)


def takes(name: str, parameter: str) -> bool:
    """Whether the estimator of that name has that parameter.

    >>> takes("ksg", "seed"), takes("gaussian", "seed")
    (True, False)
    """
    kind = ESTIMATORS.get(_key(name))
    return kind is not None and parameter in [f.name for f in dataclasses.fields(kind) if f.init]


def _key(name: str) -> str:
    return str(name).strip().lower().replace("_", "-")


def parse(text: str) -> Any:
    """An estimator from one line of text, `name:parameter=value,parameter=value`, as the command line takes it.

    >>> parse("binning:width=0.5")
    Binning(...width=0.5...)
    """
    name, parameters = named_parameters(text)
    return create(name, **parameters)


def named_parameters(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the parameters in `name:parameter=value,...`; values are numbers, True, None, ... or bare words.

    >>> named_parameters("ksg:k=5,rescale=none")
    ('ksg', {'k': 5, 'rescale': 'none'})
    """
    name, _, rest = text.partition(":")
    parameters: dict[str, Any] = {}
    for item in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = item.partition("=")
        if not equals:
            raise InvalidArgument(f"estimator {text!r}: {item!r} is no parameter=value")
        parameters[key.strip()] = _value(value.strip())
    return name, parameters


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text  # a bare word, such as bound=upper


def mutual_information(
    x: Any,
    y: Any,
    estimator: str | Estimator = "auto",
    *,
    interval: str | None = None,
    permutations: int = 0,
    seed: int = 0,
    n_jobs: int = 1,
    **parameters: Any,
) -> Estimate:
    """Estimates the mutual information I(X;Y) in nats from paired samples.

    `x` and `y` are array-likes of shape (n, ...); a one-dimensional integer array means classes. `estimator` is a name
    (parameters follow as keywords) or an estimator object; "auto" lets `recommend` choose. `interval` ("subsampling",
    "bootstrap", "jackknife") adds an interval and `permutations` a p-value from that many shuffles of y, replacing what
    the estimator itself says of either; both on `n_jobs` processes. Estimators that learn shuffle held-out samples and
    fit once (`tested`), where others estimate again for every shuffle. `seed` is theirs, and the estimator's if any.

    Raises UnknownName for an unknown estimator or parameter, and what the estimator raises.

    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 1000))
    >>> found = mutual_information(x, x + noise, interval="subsampling", permutations=99)
    >>> 0.3466 in found.interval, found.p_value  # ½ log 2
    (True, 0.01)
    """
    chosen: Estimator
    if isinstance(estimator, str):
        if seed and takes(estimator, "seed"):
            parameters = {"seed": seed, **parameters}
        chosen = create(estimator, **parameters)
    elif parameters:
        raise InvalidArgument(f"parameters {sorted(parameters)} belong into the estimator object that was given")
    else:
        chosen = estimator
    integer(permutations, "permutations", minimum=0)

    def run(estimator: Estimator) -> Estimate:
        if permutations and hasattr(estimator, "tested"):
            tested: Estimate = estimator.tested(x, y, permutations=permutations, seed=seed)
            return tested
        return estimator.estimate(x, y)

    if isinstance(chosen, Auto):
        chosen, found = chosen.settle(x, y, run)  # once, and not again for every selection of the samples
    else:
        found = run(chosen)
    if interval is not None:
        again = resampled(chosen, x, y, interval, seed=seed, n_jobs=n_jobs, estimate=found)
        found = dataclasses.replace(found, interval=again)
    if permutations and not hasattr(chosen, "tested"):
        null = shuffled_null(chosen, x, y, permutations=permutations, seed=seed, n_jobs=n_jobs)
        found = dataclasses.replace(found, p_value=null.p_value(found.nats))
    return found
