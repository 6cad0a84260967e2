"""The names by which estimators are called, and the call itself."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

from infoflow.errors import InvalidArgument, UnknownName
from infoflow.estimators.adaptive_binning import AdaptiveBinning
from infoflow.estimators.binning import Binning
from infoflow.estimators.class_neighbours import ClassNeighbours
from infoflow.estimators.compressed import Compressed
from infoflow.estimators.decision_rule import DecisionRule
from infoflow.estimators.dependence_graph import DependenceGraph
from infoflow.estimators.discrete import Discrete
from infoflow.estimators.gaussian_dropout import GaussianDropoutInformation
from infoflow.estimators.kernel_density import KernelDensity
from infoflow.estimators.kozachenko_leonenko import KozachenkoLeonenko
from infoflow.estimators.ksg import KSG
from infoflow.estimators.matrix_renyi import MatrixRenyi
from infoflow.estimators.mixed import MixedKSG
from infoflow.estimators.sample_propagation import SamplePropagation
from infoflow.estimators.sliced import Sliced
from infoflow.interface import Estimate, Estimator

ESTIMATORS: dict[str, type] = {
    "adaptive-binning": AdaptiveBinning,
    "binning": Binning,
    "class-neighbours": ClassNeighbours,
    "compressed": Compressed,
    "decision-rule": DecisionRule,
    "dependence-graph": DependenceGraph,
    "discrete": Discrete,
    "gaussian-dropout": GaussianDropoutInformation,
    "kernel-density": KernelDensity,
    "kozachenko-leonenko": KozachenkoLeonenko,
    "ksg": KSG,
    "matrix-renyi": MatrixRenyi,
    "mixed": MixedKSG,
    "sample-propagation": SamplePropagation,
    "sliced": Sliced,
}


def create(name: str, **parameters: Any) -> Any:
    """An estimator by its name; unknown names and parameters are refused with the nearest known one.

    >>> create("binning", width=0.5)
    Binning(...width=0.5...)
    """
    key = str(name).strip().lower().replace("_", "-")
    if key not in ESTIMATORS:
        raise UnknownName("estimator", name, ESTIMATORS)
    kind = ESTIMATORS[key]
    known = [f.name for f in dataclasses.fields(kind) if f.init]
    for parameter in parameters:
        if parameter not in known:
            raise UnknownName(f"parameter of {key}", parameter, known)
    return kind(**parameters)


def parse(text: str) -> Any:
    """An estimator from one line of text, `name:parameter=value,parameter=value`, as the command line takes it.

    >>> parse("binning:width=0.5")
    Binning(...width=0.5...)
    """
    name, _, rest = text.partition(":")
    parameters: dict[str, Any] = {}
    for item in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = item.partition("=")
        if not equals:
            raise InvalidArgument(f"estimator {text!r}: {item!r} is no parameter=value")
        parameters[key.strip()] = _value(value.strip())
    return create(name, **parameters)


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text  # a bare word, such as bound=upper


def mutual_information(x: Any, y: Any, estimator: str | Estimator = "auto", **parameters: Any) -> Estimate:
    """Estimates the mutual information I(X;Y) from paired samples.

    `x` and `y` are array-likes of shape (n, ...); a one-dimensional integer array means classes. `estimator` is a name
    (parameters follow as keywords) or an estimator object.
    """
    if isinstance(estimator, str):
        estimator = create(estimator, **parameters)
    elif parameters:
        raise InvalidArgument(f"parameters {sorted(parameters)} belong into the estimator object that was given")
    return estimator.estimate(x, y)
