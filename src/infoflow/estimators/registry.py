"""The registry of estimators: names, locations, what each can do, and the table of the documentation.

Classes are named as text and imported on first use, so that an estimator built from others can look them up here.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.protocols import Estimator


class Ability(StrEnum):
    """What an estimator offers besides its settings; each is one method."""

    ESTIMATE = "estimate"
    """`estimate(x, y)`: I(X;Y) from samples."""
    ENTROPY = "entropy"
    """`entropy(x)`: H(X) or h(X)."""
    POINTWISE = "pointwise"
    """`pointwise(x, y)`: nats per sample, whose mean is the estimate."""
    CONDITIONAL = "conditional"
    """`conditional(x, y, z)`: I(X;Y|Z)."""
    PLANE = "plane"
    """`measure(t, y, x)`: a point of the information plane."""
    LABEL = "label"
    """`estimate(t, y)` with classes y: I(T;Y) of a layer, the label axis of the information plane alone."""
    PERMUTATION_TEST = "permutation test"
    """`tested(x, y)`: a p-value from held-out samples with one fit."""


ESTIMATE, ENTROPY, POINTWISE, CONDITIONAL, PLANE, LABEL, PERMUTATION_TEST = Ability


@dataclass(frozen=True)
class Entry:
    """One estimator of the registry.

    Parameters
    ----------
    location
        Module below `infoflow.estimators` and name of the class, as "neighbors.ksg:KSG".
    abilities
        What the class offers.
    measures, kind, good_for, limits
        Columns of the table in the documentation.
    preset
        Settings that the name stands for.
    """

    location: str
    abilities: tuple[Ability, ...]
    measures: str
    kind: str
    good_for: str
    limits: str
    preset: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> type:
        """Import the class."""
        return _load(self.location)


@functools.cache
def _load(location: str) -> type:
    module, _, name = location.partition(":")
    found: type = getattr(importlib.import_module(f"infoflow.estimators.{module}"), name)
    return found


ESTIMATORS: Mapping[str, Entry] = MappingProxyType(
    {
        "adaptive-binning": Entry(
            "histogram.adaptive_binning:AdaptiveBinning",
            (ESTIMATE, ENTROPY, PLANE),
            measures="the same with edges from the activations",
            kind="plug-in",
            good_for="layers of changing scale",
            limits="compares different bin widths",
        ),
        "added-noise": Entry(
            "wrappers.added_noise:AddedNoise",
            (ESTIMATE, PLANE),
            measures="I(X+ε;Y) by any estimator inside",
            kind="that estimator's",
            good_for="deterministic layers",
            limits="depends on the variance of the noise",
        ),
        "anchored-infonce": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="`neural` with `anchored_infonce`: InfoNCE with an anchor class, without its ceiling",
            kind="as `neural`",
            good_for="as `neural`",
            limits="as `neural`",
            preset={"bound": "anchored_infonce"},
        ),
        "auto": Entry(
            "automatic.policy:Auto",
            (ESTIMATE, LABEL),
            measures="I(X;Y) by the coarsest estimate that no finer one contradicts",
            kind="that estimator's, with the reason",
            good_for="a first answer for any data",
            limits="dependence finer than the samples resolve (with a warning)",
        ),
        "binning": Entry(
            "histogram.binning:Binning",
            (ESTIMATE, ENTROPY, PLANE),
            measures="H(Q(T)), I(Q(T);Y)",
            kind="plug-in",
            good_for="the information plane with a stated bin width",
            limits="high dimension: log N",
        ),
        "blocks": Entry(
            "automatic.blocks:Blocks",
            (ESTIMATE,),
            measures="a sum over independent blocks of columns",
            kind="point, interval",
            good_for="many columns, few samples",
            limits="dependence of three or more columns",
        ),
        "by-type": Entry(
            "automatic.policy:Auto",
            (ESTIMATE, LABEL),
            measures="I(X;Y) by one estimator for each pair of types: counts, or nearest neighbors",
            kind="that estimator's, with the reason",
            good_for="many columns that are compared, as in `rank`",
            limits="as `ksg`, `class-neighbors` and `discrete`",
            preset={"compare": False},
        ),
        "cca": Entry(
            "gaussian.canonical_correlation:CCA",
            (ESTIMATE,),
            measures="the same from canonical correlations",
            kind="point",
            good_for="many dimensions, few of them shared",
            limits="as `gaussian`",
        ),
        "class-neighbors": Entry(
            "neighbors.class_neighbors:ClassNeighbors",
            (ESTIMATE, POINTWISE, LABEL),
            measures="I(X;Y), classes Y",
            kind="point",
            good_for="continuous X with labels",
            limits="high dimension",
        ),
        "classifier-bound": Entry(
            "learned.classifier_bound:ClassifierBound",
            (ESTIMATE, LABEL),
            measures="I(X;Y) ≥ H(Y) − the held-out cross-entropy of a probe",
            kind="lower bound, interval",
            good_for="what a probe reads from a layer, any width",
            limits="what the probe cannot learn",
        ),
        "compressed": Entry(
            "wrappers.compressed:Compressed",
            (ESTIMATE, PLANE),
            measures="I after PCA or an autoencoder",
            kind="point",
            good_for="high dimension of low rank",
            limits="what compression loses",
        ),
        "decision-rule": Entry(
            "histogram.decision_rule:DecisionRule",
            (ESTIMATE, ENTROPY, PLANE),
            measures="I(argmax T;Y)",
            kind="plug-in",
            good_for="the output layer",
            limits="layers that are not one unit per class",
        ),
        "dependence-graph": Entry(
            "histogram.dependence_graph:DependenceGraph",
            (ESTIMATE, PLANE),
            measures="I(X;Y) by hashing (EDGE)",
            kind="plug-in",
            good_for="speed in few dimensions",
            limits="d ≥ 5: says little, with a warning; interval over shifts only",
        ),
        "dime": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="`neural` with `dime`: density ratios without a bound",
            kind="as `neural`",
            good_for="as `neural`",
            limits="as `neural`",
            preset={"bound": "dime"},
        ),
        "discrete": Entry(
            "histogram.discrete:Discrete",
            (ESTIMATE, ENTROPY, CONDITIONAL, PLANE),
            measures="I(X;Y) of codes: plug-in, Miller–Madow, Grassberger, Chao–Shen, NSB, shrinkage",
            kind="plug-in, point",
            good_for="symbols, classes",
            limits="alphabets larger than the sample",
        ),
        "doe": Entry(
            "learned.densities.difference_of_entropies:DifferenceOfEntropies",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="a difference of entropies, −log q(y) + log q(y given x), learned densities",
            kind="difference of bounds",
            good_for="large I: ten nats from 10000 samples",
            limits="margins far from Gaussian with several nats per dimension: too low",
        ),
        "donsker-varadhan": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="`neural` with `donsker_varadhan`: Donsker and Varadhan's bound",
            kind="as `neural`",
            good_for="as `neural`",
            limits="as `neural`",
            preset={"bound": "donsker_varadhan"},
        ),
        "elliptical": Entry(
            "automatic.elliptical:Elliptical",
            (ESTIMATE,),
            measures="a Gaussian part and the information between two radii",
            kind="point, interval",
            good_for="heavy tails with a common scale",
            limits="dependence of another form",
        ),
        "flow": Entry(
            "learned.densities.normalizing_flow:NormalizingFlow",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="the same with normalizing flows (extra `flows`)",
            kind="difference of bounds",
            good_for="as `doe`, bent densities",
            limits="as `doe`; slower",
        ),
        "flow-matching": Entry(
            "learned.densities.flow_matching:FlowMatching",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="the same with flows fitted by matching velocities",
            kind="difference of bounds",
            good_for="smooth densities",
            limits="sharp edges, heavy tails: low",
        ),
        "gaussian": Entry(
            "gaussian.gaussian:Gaussian",
            (ESTIMATE, ENTROPY, CONDITIONAL),
            measures="I of Gaussians, or of their copula",
            kind="point",
            good_for="linear or monotone dependence, many dimensions",
            limits="dependence that the copula misses (with a warning)",
        ),
        "gaussian-dropout": Entry(
            "channels.noisy_layers:GaussianDropoutInformation",
            (ESTIMATE, ENTROPY, PLANE),
            measures="I(X;Z) under Gaussian dropout",
            kind="plug-in",
            good_for="networks trained with it",
            limits="zeros of f are atoms (with a warning)",
        ),
        "gaussian-mixture": Entry(
            "learned.densities.gaussian_mixture:GaussianMixtureInformation",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="log-densities of Gaussian mixtures",
            kind="point",
            good_for="few dimensions, clusters, large I",
            limits="sharp edges",
        ),
        "infonce": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="`neural` with `infonce`: at most the log of the candidates",
            kind="as `neural`",
            good_for="as `neural`",
            limits="as `neural`",
            preset={"bound": "infonce"},
        ),
        "jensen-shannon-mi": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="`neural` with `jensen_shannon_mi`: trained by Jensen-Shannon, read off as NWJ's bound",
            kind="as `neural`",
            good_for="as `neural`",
            limits="as `neural`",
            preset={"bound": "jensen_shannon_mi"},
        ),
        "kernel-density": Entry(
            "kernel.kernel_density:KernelDensity",
            (ESTIMATE, ENTROPY, PLANE),
            measures="I(X;T+ε), I(T+ε;Y)",
            kind="upper or lower bound; difference of bounds",
            good_for="layers with noise of a stated variance",
            limits="small variance: log N",
        ),
        "kozachenko-leonenko": Entry(
            "neighbors.kozachenko_leonenko:KozachenkoLeonenko",
            (ESTIMATE, ENTROPY),
            measures="h(X), I(X;Y) as a sum of entropies",
            kind="point",
            good_for="entropies; weighted: d ≥ 8",
            limits="strong dependence",
        ),
        "ksg": Entry(
            "neighbors.ksg:KSG",
            (ESTIMATE, POINTWISE, CONDITIONAL, PLANE),
            measures="I(X;Y)",
            kind="point",
            good_for="few dimensions, any shape",
            limits="high dimension, strong dependence: too low",
        ),
        "matrix-renyi": Entry(
            "kernel.matrix_renyi:MatrixRenyi",
            (ESTIMATE, ENTROPY, PLANE),
            measures="I_α of Gram matrices",
            kind="plug-in",
            good_for="mini-batches, channels of maps",
            limits="not a Shannon quantity; depends on the bandwidth",
        ),
        "mine": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="`neural` with `mine`: Donsker and Varadhan's bound with an averaged gradient",
            kind="as `neural`",
            good_for="as `neural`",
            limits="as `neural`",
            preset={"bound": "mine"},
        ),
        "mixed": Entry(
            "neighbors.mixed:MixedKSG",
            (ESTIMATE, POINTWISE, LABEL),
            measures="I(X;Y) of any mixture",
            kind="point",
            good_for="atoms, ReLU zeros, clipped values",
            limits="as `ksg`",
        ),
        "neural": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="a held-out variational bound, `bound=` any of `infoflow.bounds`",
            kind="lower bound or point",
            good_for="many dimensions, odd shapes",
            limits="large I: capped near log m, with a warning",
        ),
        "nwj": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="`neural` with `nwj`: the bound of Nguyen, Wainwright and Jordan",
            kind="as `neural`",
            good_for="as `neural`",
            limits="as `neural`",
            preset={"bound": "nwj"},
        ),
        "quantized": Entry(
            "histogram.quantized:QuantizedInformation",
            (ESTIMATE, ENTROPY, PLANE),
            measures="H(T), I(T;Y) of layers with at most 256 levels, counted",
            kind="exact",
            good_for="quantized networks, all inputs at hand",
            limits="more values than levels (an error)",
        ),
        "sample-propagation": Entry(
            "channels.noisy_layers:SamplePropagation",
            (ESTIMATE, ENTROPY, PLANE),
            measures="I(X;T+ε) by Monte Carlo",
            kind="plug-in, interval",
            good_for="noisy networks",
            limits="large n: O(n²)",
        ),
        "shuffle-corrected": Entry(
            "wrappers.shuffle_corrected:ShuffleCorrected",
            (ESTIMATE,),
            measures="an estimate less its mean over shuffled samples",
            kind="point",
            good_for="large tables, few samples",
            limits="too low under strong dependence",
        ),
        "sliced": Entry(
            "wrappers.sliced:Sliced",
            (ESTIMATE, PLANE),
            measures="sliced, k-sliced, max-sliced I",
            kind="that estimator's",
            good_for="high dimension, as a quantity of its own",
            limits="is not I(X;Y)",
        ),
        "smile": Entry(
            "learned.critics.neural:Neural",
            (ESTIMATE, POINTWISE, PERMUTATION_TEST),
            measures="`neural` with `smile`: clipped density ratios",
            kind="as `neural`",
            good_for="as `neural`",
            limits="as `neural`",
            preset={"bound": "smile"},
        ),
        "spread-ties": Entry(
            "automatic.ties:SpreadTies",
            (ESTIMATE,),
            measures="I(X;Y) after repeated values were spread over their cells",
            kind="that estimator's",
            good_for="rounded numbers",
            limits="as that estimator",
        ),
    }
)
"""Every estimator by name."""


def names(ability: Ability | None = None) -> list[str]:
    """Names of the estimators, all or those with one ability.

    Examples
    --------
    >>> names(Ability.CONDITIONAL)
    ['discrete', 'gaussian', 'ksg']
    """
    return [name for name, entry in ESTIMATORS.items() if ability is None or ability in entry.abilities]


def entry(name: str) -> Entry:
    """The entry of this name; case and underscores are ignored.

    Raises
    ------
    UnknownName
        If there is none, with the closest name.

    Examples
    --------
    >>> entry("ksg").location
    'neighbors.ksg:KSG'
    """
    key = str(name).strip().lower().replace("_", "-")
    if key not in ESTIMATORS:
        raise UnknownName("estimator", name, ESTIMATORS)
    return ESTIMATORS[key]


def can(estimator: Any, ability: Ability) -> bool:
    """Whether an estimator object offers this; an object from outside the registry can only estimate.

    Examples
    --------
    >>> can(create("ksg"), Ability.CONDITIONAL), can(create("cca"), Ability.CONDITIONAL)
    (True, False)
    """
    kinds = {f"{base.__module__}:{base.__qualname__}" for base in type(estimator).__mro__}
    known = [
        each
        for each in ESTIMATORS.values()
        if f"{_load(each.location).__module__}:{_load(each.location).__qualname__}" in kinds
    ]
    return any(ability in each.abilities for each in known) if known else ability is Ability.ESTIMATE


def create(name: str, /, **parameters: Any) -> Any:
    """Create an estimator by its name.

    Parameters
    ----------
    name
        Name in the registry.
    **parameters
        Settings of the estimator.

    Returns
    -------
    Estimator
        The estimator.

    Raises
    ------
    UnknownName
        If there is no such estimator, or it has no such parameter; the closest name is suggested.
    InvalidArgument
        If the name has parameters in text, which `parse` reads.

    Examples
    --------
    >>> create("binning", width=0.5)
    Binning(...width=0.5...)
    >>> create("ksg:k=5")
    Traceback (most recent call last):
    infoflow.core.errors.InvalidArgument: name must be the name of an estimator without parameters, got 'ksg:k=5'. ...
    """
    if ":" in str(name):
        remedy = "Use parse(...), or pass the parameters as keywords."
        raise InvalidArgument("name", "the name of an estimator without parameters", name, remedy=remedy)
    found = entry(name)
    kind = found.load()
    known = _parameters(kind)
    for parameter in parameters:
        if parameter not in known:
            raise UnknownName(f"parameter of {name}", parameter, known)
    return kind(**{**found.preset, **parameters})


def takes(estimator: str, parameter: str) -> bool:
    """Whether the estimator of that name has that parameter.

    Examples
    --------
    >>> takes("ksg", "seed"), takes("gaussian", "seed")
    (True, False)
    """
    return parameter in _parameters(entry(estimator).load())


def _parameters(kind: type) -> list[str]:
    return [each.name for each in dataclasses.fields(kind) if each.init]


def parse(text: str) -> Any:
    """Create an estimator from one line of text.

    Parameters
    ----------
    text
        `name:parameter=value,parameter=value`.

    Returns
    -------
    Estimator
        The estimator.

    Examples
    --------
    >>> parse("binning:width=0.5")
    Binning(...width=0.5...)
    """
    name, parameters = named_parameters(text)
    return create(name, **parameters)


def named_parameters(text: str) -> tuple[str, dict[str, Any]]:
    """Split `name:parameter=value,...` into name and parameters; values are Python literals or plain words.

    Raises
    ------
    InvalidArgument
        If a parameter has no value.

    Examples
    --------
    >>> named_parameters("ksg:k=5,rescale=none")
    ('ksg', {'k': 5, 'rescale': 'none'})
    """
    name, _, rest = text.partition(":")
    parameters: dict[str, Any] = {}
    for item in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = item.partition("=")
        if not equals:
            raise InvalidArgument("estimator", "name:parameter=value,...", text, remedy=f"{item!r} has no value.")
        parameters[key.strip()] = _value(value.strip())
    return name, parameters


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text  # a plain word, such as bound=upper


def resolve(estimator: str | Estimator, /, **parameters: Any) -> Any:
    """The estimator object for a name, for a name with parameters as text, or for an object.

    Parameters
    ----------
    estimator
        "ksg", "ksg:k=5", or an object with `estimate(x, y)`.
    **parameters
        Settings of the named estimator; they take precedence over those in the text.

    Raises
    ------
    InvalidArgument
        If it is a class rather than an object, an object without `estimate`, or parameters come with an object.

    Examples
    --------
    >>> resolve("ksg:k=5"), resolve("ksg", k=5) == resolve("ksg:k=5")
    (KSG(k=5...), True)
    """
    if isinstance(estimator, str):
        name, stated = named_parameters(estimator)
        return create(name, **{**stated, **parameters})
    wanted = "a name or an object with estimate(x, y)"
    if isinstance(estimator, type):
        raise InvalidArgument("estimator", wanted, estimator, remedy=f"Pass an instance: {estimator.__name__}().")
    if not isinstance(estimator, Estimator):
        raise InvalidArgument("estimator", wanted, estimator)
    if parameters:
        raise InvalidArgument(
            f"{sorted(parameters)} cannot be combined with an estimator object. "
            f"Pass them to the constructor of {type(estimator).__name__}."
        )
    return estimator


def table() -> str:
    """Table of all estimators in Markdown, as the documentation shows it.

    Returns
    -------
    str
        One row per name.

    Examples
    --------
    >>> print(table().splitlines()[0])
    | name | measures | kind | suited for | limits |
    """
    rows = [("name", "measures", "kind", "suited for", "limits"), ("---",) * 5]
    rows += [(f"`{name}`", each.measures, each.kind, each.good_for, each.limits) for name, each in ESTIMATORS.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows).replace(
        "| --- | --- | --- | --- | --- |", "|---|---|---|---|---|"
    )
