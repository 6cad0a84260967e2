"""What single rows of Table I are judged by, against the review's text, enumeration and closed forms."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from infoflow_reproductions import Results, RunOptions, Trial, experiments, reproduce
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.information_plane import ROWS
from infoflow_reproductions.information_plane.claims import Rises, Rule, at_the_ceiling
from infoflow_reproductions.information_plane.curves import NOT_ESTIMATED, Curve, plane_of
from infoflow_reproductions.information_plane.fano import fano
from infoflow_reproductions.information_plane.figures import _changes, _quantity, pictures
from infoflow_reproductions.information_plane.generalization import connected_at_the_softmax, unconnected
from infoflow_reproductions.information_plane.layer_estimators import GaussianChannel, label_of
from infoflow_reproductions.information_plane.networks import VISION, build
from infoflow_reproductions.information_plane.reading import DECISION, Reading
from infoflow_reproductions.information_plane.recipe import OUTPUT, Recipe, Variant
from infoflow_reproductions.information_plane.rows import (
    balda,
    cheng,
    darlow,
    fang,
    gabrie,
    goldfeld,
    jonsson,
    noshad,
    saxe,
    wickstrom,
)
from infoflow_reproductions.information_plane.soundness import CONTRADICT
from matplotlib.figure import Figure as Canvas
from torch import nn

from infoflow.plane.truth import INFINITE, NOISY
from infoflow.theory import error_lower_bound

ROW = {row.name: row for row in ROWS}


def curves(layer: str, estimator: str, nats: list[float], ceiling: float = math.inf, **more: Any) -> dict[str, Any]:
    """Return the curves of one layer on one axis, the same for three seeds."""
    place = {"axis": "input", "quantity": "I", "kind": "plug-in", "ceiling_name": "log N", **more}
    values = [[value] * 3 for value in nats]
    curve = Curve(layer, 0, estimator, epochs=range(len(nats)), seeds=range(3), nats=values, ceiling=ceiling, **place)
    return dataclasses.asdict(curve)


def reading_of(recipe: Any, name: str, found: list[dict[str, Any]], **metrics: list[float]) -> Reading:
    tables = {
        metric: {"epochs": list(range(len(values))), "seeds": [0, 1, 2], "values": [[value] * 3 for value in values]}
        for metric, values in metrics.items()
    }
    trial = Trial(f"{name}/seeds from 0", max, {})
    return Reading(recipe, Results([trial], {trial.name: {"curves": found, "metrics": tables}}))


def test_gaussian_channel_is_the_determinant_and_has_no_ceiling() -> None:
    generator = torch.Generator().manual_seed(0)
    t = torch.randn(30, 4, generator=generator, dtype=torch.float64)
    y = torch.arange(30) % 3
    channel = GaussianChannel(variance=0.2)

    def by_eigenvalues(rows: np.ndarray) -> float:
        return 0.5 * float(np.log1p(np.linalg.eigvalsh(np.cov(rows.T, bias=True)) / 0.2).sum())

    found = channel.measure(t, y)
    whole = by_eigenvalues(t.numpy())
    within = sum(by_eigenvalues(t[y == label].numpy()) / 3 for label in range(3))
    assert found.input.nats == pytest.approx(whole)
    assert found.label.nats == pytest.approx(whole - within)
    # Units that are always 0 change nothing, though then the matrix of samples is the smaller one.
    wide = channel.measure(torch.cat([t, torch.zeros(30, 96, dtype=torch.float64)], 1), y)
    assert (wide.input.nats, wide.label.nats) == pytest.approx((found.input.nats, found.label.nats))
    far = channel.measure(1e6 * t, y)
    assert far.input.nats > math.log(30)
    assert not far.input.saturated
    assert far.label.nats <= math.log(3)


def test_layers_at_the_ceiling_are_judged_by_the_estimator_without_one() -> None:
    recipe = Recipe((Variant("net"),), ("binning:width=0.1",))
    first, unlimited = label_of("binning:width=0.1"), label_of(recipe.without_ceiling)
    label = curves("relu1", first, [0.0, 0.6], 0.69, axis="label", ceiling_name="H(Y)")
    for ends, holds in (([8.0, 12.0], True), ([12.0, 8.0], False)):
        found = [
            curves("relu1", first, [4.0, 4.0], 4.0),
            label,
            curves("relu1", unlimited, ends),
            {**label, "estimator": unlimited},
        ]
        (claim,) = at_the_ceiling(reading_of(recipe, "net", found, train_loss=[1.0, 0.1]))
        assert claim.holds is holds
        assert not claim.published
    found[0] = curves("relu1", first, [3.0, 3.0], 4.0)
    assert at_the_ceiling(reading_of(recipe, "net", found, train_loss=[1.0, 0.1])) == []


@pytest.mark.parametrize(
    "rule",
    [
        Rises("I(T;Y) of {layer} rises"),
        noshad.no_fitting,
        darlow.stronger_early,
        wickstrom.every_label,
        goldfeld.turns_often,
    ],
)
def test_claims_on_estimates_that_contradict_each_other_are_inconclusive(rule: Rule) -> None:
    recipe = Recipe((Variant("net"),), ("dependence-graph",))
    estimator = label_of("dependence-graph")
    nats = {"relu1": [1.0, 6.0, 3.0, 6.0, 3.0], "relu2": [4.0, 6.0, 4.0, 6.0, 5.5], OUTPUT: [4.0, 5.0, 5.0, 5.0, 5.0]}

    def claim(offset: float) -> Any:
        label = [offset + value for value in (0.0, 2.29, 2.3, 2.3, 2.3)]
        found = [curves(layer, estimator, values) for layer, values in nats.items()]
        found += [curves(layer, estimator, label, axis="label") for layer in nats]
        return rule(reading_of(recipe, "net", found, train_loss=[1.0, 0.5, 0.4, 0.3, 0.1]), "net")

    assert claim(0.0).holds is True
    broken = claim(4.0)  # I(T;Y) ends at 6.3 nats, above I(X;T) of every layer
    assert broken.holds is None
    assert f"{CONTRADICT}; left out: " in broken.evidence


@pytest.mark.parametrize(("label", "holds"), [(2.0, True), (9.0, None)])
def test_similarity_to_bins_needs_estimates_that_do_not_contradict_each_other(label: float, holds: bool | None) -> None:
    recipe = Recipe((Variant("net", noise=0.1),), ("dependence-graph", "binning:width=0.1"))
    first, bins = map(label_of, recipe.estimators)
    found = [curves("relu1", name, [1.0, 6.0, 3.0]) for name in (first, bins)]
    found.append(curves("relu1", first, [0.0, 1.0, label], axis="label"))
    claim = goldfeld.like_binning(reading_of(recipe, "net", found, train_loss=[1.0, 0.5, 0.1]), "net")
    assert claim.holds is holds
    assert (CONTRADICT in claim.evidence) is (holds is None)


@pytest.mark.parametrize("label", [1.0, 9.0])
@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        (goldfeld.clusters, True),
        (wickstrom.below_on_test, True),
        (connected_at_the_softmax, True),
        (unconnected, False),
    ],
)
def test_claims_over_seeds_need_estimates_that_do_not_contradict_each_other(
    rule: Rule, label: float, holds: bool
) -> None:
    """Seeds that lose more of I(X;T) are more accurate, and their classes end in tighter clusters."""
    recipe, trials, known = Recipe((Variant("net"),), ("dependence-graph",)), [], {}
    for seed in range(8):
        loss = 0.1 * seed + 0.05 * (seed % 2)

        def curve(layer: str, axis: str, ends: list[float], seed: int = seed, **more: Any) -> dict[str, Any]:
            place = {"quantity": "I", "kind": "plug-in", "epochs": [0, 1], "seeds": [seed], **more}
            values = [[value] for value in ends]
            return dataclasses.asdict(Curve(layer, 0, recipe.labels[0], axis=axis, nats=values, **place))

        found = [
            one
            for layer in ("relu1", OUTPUT)
            for one in (curve(layer, "input", [6.0, 6.0 - loss]), curve(layer, "label", [0.0, label]))
        ]
        found += [curve(OUTPUT, "label", [0.0, end], probe=probe) for probe, end in (("train", 2.0), ("test", 1.5))]
        scales = {"within": [1.0, 0.5 - 0.01 * seed], "between": [2.0, 2.0]}
        accuracy = {"epochs": [0, 1], "seeds": [seed], "values": [[0.1], [0.5 + 0.04 * seed]]}
        trial = Trial(f"net/seeds from {seed}", max, {})
        trials.append(trial)
        known[trial.name] = {
            "curves": found,
            "metrics": {"test_accuracy": accuracy},
            "geometry": [
                {"layer": "relu1", "depth": 0, "measure": measure, "epochs": [0, 1], "values": values}
                for measure, values in scales.items()
            ],
        }
    claim = rule(Reading(recipe, Results(trials, known)), "net")
    sound = label < 6
    assert claim.holds is (holds if sound else None)
    assert (CONTRADICT in claim.evidence) is not sound


def test_orders_of_one_quantity_are_named_by_a_letter() -> None:
    orders = [f"I_{order}(X;T)" for order in (0.5, 2, 10)]
    assert _quantity(pd.DataFrame({"axis": "input", "quantity": orders})) == "I_α(X;T)"
    assert _quantity(pd.DataFrame({"axis": "input", "quantity": orders[:1]})) == "I_0.5(X;T)"
    assert _quantity(pd.DataFrame({"axis": "input", "quantity": ["I(X;T)", "H(Q(T))"]})) == "H(Q(T)) or I(X;T)"


def test_a_label_that_a_sound_layer_has_lost_is_lost_although_another_layer_contradicts_itself() -> None:
    recipe, estimator = Recipe((Variant("net"),), ("dependence-graph",)), label_of("dependence-graph")
    found = [
        *(curves(layer, estimator, [4.0, 4.0]) for layer in ("relu1", OUTPUT)),
        curves("relu1", estimator, [0.0, 1.0], axis="label"),
        curves(OUTPUT, estimator, [0.0, 6.0], axis="label"),
    ]
    claim = wickstrom.every_label(reading_of(recipe, "net", found, train_loss=[1.0, 0.1]), "net")
    assert claim.sample is not None
    assert claim.sample.mean == pytest.approx(1.0 / math.log(2))
    assert f"left out: {OUTPUT} (" in claim.evidence


def test_a_decision_among_all_classes_is_no_lower_bound() -> None:
    nats = [1.0, math.log(10)]
    for name, saturated in (("log c", False), ("log n", True)):
        found = [curves(OUTPUT, "DecisionRule", nats, math.log(10), ceiling_name=name)]
        assert plane_of({"net": [{"curves": found}]}).frame["saturated"].iloc[-1] == saturated


def test_fanos_bound_lies_below_the_information_of_any_decision() -> None:
    rng = np.random.default_rng(0)
    for classes in (2, 3, 10):
        for _ in range(200):
            joint = rng.dirichlet(np.full(classes**2, 0.1)).reshape(classes, classes)
            label, decision = joint.sum(1), joint.sum(0)

            def entropy(p: np.ndarray) -> float:
                return -float(sum(q * math.log(q) for q in p.ravel() if q > 0))

            information = entropy(label) + entropy(decision) - entropy(joint)
            bound = fano(1 - float(np.trace(joint)), entropy(label), classes)
            assert bound <= information + 1e-9 <= entropy(decision) + 2e-9


def test_bound_of_the_decision_rises_with_accuracy() -> None:
    recipe, top = ROW["balda"].recipes["cpu"], math.log(10)

    def judged(entropies: list[float]) -> bool | None:
        found = [
            curves(OUTPUT, "DecisionRule", entropies, top),
            curves(OUTPUT, "DecisionRule", [0.1, 2.0], top, axis="label"),
        ]
        return balda.rising_bound(
            reading_of(recipe, "MNIST, MLP", found, test_accuracy=[0.1, 0.95]), "MNIST, MLP"
        ).holds

    assert judged([1.0, 2.3]) is True
    assert judged([1.0, 1.5]) is False  # below 2.3 − h(.05) − .05 log 9


def test_captions_take_the_truth_of_the_networks_that_are_drawn() -> None:
    estimator = label_of("binning:width=0.1")
    found = [curves(OUTPUT, name, [1.0, 2.0]) for name in (DECISION, estimator)]
    trials = [Trial(f"{name}/seeds from 0", max, {}) for name in ("net", "noisy net")]
    known = {
        trial.name: {"curves": part, "metrics": {}, "truth": truth}
        for trial, part, truth in zip(trials, (found, found[1:]), (INFINITE, NOISY), strict=True)
    }
    reading = Reading(Recipe((), ("decision-rule", "binning:width=0.1")), Results(trials, known))
    assert reading.truths(estimator) == {"net": INFINITE, "noisy net": NOISY}
    captions = {figure.caption for figure in pictures(reading)}
    assert f"The information plane by {DECISION}." in captions
    of_net = "The true I(X;T) of net is infinite; the plane then shows a geometric quantity."
    assert f"The information plane by {estimator}. {of_net}" in captions


def test_every_published_claim_has_a_section_or_names_the_surveyed_paper() -> None:
    for row in ROWS:
        for _, place in row.places:
            assert place.startswith(("section III-", "the surveyed paper ["))


def test_final_layers_are_compared_with_one_two_and_three_bits() -> None:
    """Review, III-B: the final layers saturate at around 1, 2, or 3 bit."""
    ends = {"MLP": [1.1, 1.0, 1.2, 1.0], "LeNet-5": [3.1, 3.2, 3.1, 3.2], "DenseNet": [3.2, 3.3, 3.2, 3.1]}
    figures = {f"{name}, output: I(T+ε;Y) at the end": Sample.of(values) for name, values in ends.items()}
    found = ROW["fang"].experiment.further(figures)
    assert [claim.holds for claim in found] == [True, False, True]
    assert all("section III-B" in ROW["fang"].experiment.place(claim.text) for claim in found)
    few = fang.near_the_figures({"LeNet-5, output: I(T+ε;Y) at the end": Sample.of([3.1, 3.2])})
    assert few[0].holds is None


def test_last_layer_below_its_label_is_evidence_of_the_claim() -> None:
    """Review, III-C: I(X;L) < I(Y;L) for layer 16 at the end."""
    recipe, name = ROW["jonsson"].recipes["cpu"], "six convolutions"
    first = recipe.labels[0]
    for end, holds in ((0.05, True), (0.6, False)):
        found = [curves(OUTPUT, first, [0.0, end]), curves(OUTPUT, first, [0.0, 0.4], axis="label")]
        assert jonsson.below_the_label(reading_of(recipe, name, found), name).holds is holds


def test_kernel_density_is_compared_with_bins_on_equally_many_inputs() -> None:
    wide, broad = (label_of(text) for text in (saxe.WIDE, saxe.BROAD))
    recipe, name = ROW["saxe"].recipes["cpu"], "MNIST tanh"

    def judged(density: list[float], bins: list[float], ceiling: float, n: int) -> bool | None:
        found = [curves("tanh1", broad, density, n=100), curves("tanh1", wide, bins, ceiling, n=n)]
        return saxe.below_bins(reading_of(recipe, name, found), name).holds

    top, most = math.log(100), math.log(1000)
    assert judged([2.0, 3.0], [3.0, 4.0], top, 100) is True
    assert judged([top, top], [top, top], top, 100) is False
    assert judged([2.0, 3.0], [most, most], most, 1000) is True  # every input has its own bin
    assert judged([top, top], [most, most], most, 1000) is False
    assert judged([2.0, 3.0], [5.0, 6.0], most, 1000) is None


def test_a_fall_of_nats_counts_where_the_noise_adds_a_large_constant() -> None:
    """Review, III-E: I(X;L) is always decreasing, potentially after a short initial increase."""
    epochs = [500.0, 501.0, 499.0, *([498.0] * 38)]
    for nats, holds in ((epochs, True), ([500.0 + 0.1 * i for i in range(41)], False)):
        found = [curves("layer1", gabrie.REPLICA, nats)]
        (claim,) = gabrie.falls(reading_of(gabrie.Recipe(), "linear-ReLU", found))
        assert claim.holds is holds
        assert claim.published


@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.975])
def test_bits_that_an_accuracy_requires_invert_the_bound_on_the_error(accuracy: float) -> None:
    least = float(re.search(r"at least ([0-9.]+) bits", fang._required(accuracy)).group(1))  # type: ignore[union-attr]
    bound = error_lower_bound(least * math.log(2), math.log(10), 10)
    assert bound == pytest.approx(1 - accuracy, abs=0.005)  # bits are given to two digits


def test_a_layer_that_does_not_fall_is_compared_with_the_other_estimators() -> None:
    rising, falling = [500.0, 501.0, 505.0], [500.0, 499.0, 490.0]
    found = [curves("layer1", name, nats) for name, nats in ((gabrie.REPLICA, rising), (gabrie.BOUND, falling))]
    (claim,) = gabrie.falls(reading_of(gabrie.Recipe(), "linear-ReLU", found))
    assert claim.holds is False
    assert f"Why: depends on the estimator: it holds by {gabrie.BOUND}" in claim.evidence


def test_changes_are_drawn_where_the_label_axis_has_no_estimator() -> None:
    nats = [500.0, 501.0, 499.0]
    for quantity, drawn in ((NOT_ESTIMATED, "Change of I(X;T+ε) since"), ("I(T;Y)", "The information plane")):
        found = [
            curves("layer1", gabrie.REPLICA, nats, quantity="I(X;T+ε)"),
            curves("layer1", gabrie.REPLICA, [0.0] * 3, axis="label", quantity=quantity),
        ]
        picture = pictures(reading_of(gabrie.Recipe(), "linear-ReLU", found))[0]
        assert picture.name == "plane"
        assert picture.caption.startswith(drawn)
    canvas = Canvas()
    _changes(reading_of(gabrie.Recipe(), "linear-ReLU", found), gabrie.REPLICA)(canvas)
    drawn_bits = canvas.axes[0].lines[0].get_ydata()
    assert drawn_bits == pytest.approx([0.0, 1 / math.log(2), -1 / math.log(2)])


def test_pairs_of_the_plane_agree_with_enumeration() -> None:
    """Review, III-A: of two points with the same I(Y;L) the more accurate one often has a lower I(X;L)."""
    rng = np.random.default_rng(1)
    points = [tuple(map(float, point)) for point in rng.random((12, 3)) * (0.2, 0.1, 3.0)]
    wanted = []
    for one, other in itertools.combinations(points, 2):
        if abs(one[0] - other[0]) <= 0.05 and abs(one[1] - other[1]) >= 0.01:
            better, worse = (one, other) if one[1] > other[1] else (other, one)
            wanted.append(better[2] < worse[2])
    assert sorted(cheng.lower_where_better(points)) == sorted(wanted)
    assert 5 < len(wanted) < 66


def test_convolutional_network_with_noise_is_that_of_the_review() -> None:
    """Review, III-A: two convolutions, then widths 1583–128, tanh, noise as regularization, two bins per unit."""
    variant = next(one for one in ROW["goldfeld"].recipes["full"].variants if one.name == goldfeld.CNN)
    network = build(variant, (1, 28), 10, [0])
    assert sum(isinstance(module, nn.Conv2d) for module in network) == 2
    linear = [module.out_features for module in network if isinstance(module, nn.Linear)]
    assert linear == [1583, 128, 10]
    assert sum(isinstance(module, nn.Tanh) for module in network) == 4
    x = torch.rand(2, 1, 28, 28)
    assert not torch.equal(network.train()(x), network(x))
    assert torch.equal(network.eval()(x), network(x))


_LARGE = [
    (row, variant)
    for row in ROWS
    for variant in getattr(row.recipes["full"], "variants", ())
    if variant.network in ("vgg16", *VISION)
]


@pytest.mark.slow
@pytest.mark.parametrize(("row", "variant"), _LARGE, ids=[f"{row.name}-{variant.name}" for row, variant in _LARGE])
def test_large_networks_of_the_full_scale_run_to_the_end(
    row: Any, variant: Variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Network, optimizer, layers, estimators and claims as published, on a few small images and for one epoch."""
    if variant.network in VISION:
        pytest.importorskip("torchvision", reason="torchvision is not installed (extra 'vision')")
    from infoflow_reproductions.information_plane import inputs

    from infoflow.data import digits, split
    from infoflow.data.dataset import Dataset

    whole = digits()
    images = whole.images()[0].repeat_interleave(4, 2).repeat_interleave(4, 3)[:, :, :32, :32]
    large = Dataset("digits32", images.numpy(), whole.labels, whole.classes, whole.scale, whole.source)
    parts = split(large.subset(np.arange(80)))
    monkeypatch.setattr(inputs, "_loaded", lambda *_: parts)
    small = dataclasses.replace(variant, size=50, probe="train", probe_size=44, epochs=1, batch_size=25)
    full = row.recipes["full"]
    shorter = {"noisy-mine": "noisy-mine:max_epochs=1,folds=2,variance=1.0", "generative": "generative:side=3,epochs=1"}
    estimators = tuple(
        shorter.get(text.partition(":")[0], text).replace("batch_size=100", "batch_size=22") for text in full.estimators
    )
    recipe = dataclasses.replace(
        full, variants=(small,), estimators=estimators, sweeps=(), seeds=1, snapshots=2, pairs=44
    )
    done = reproduce(row.experiment, "full", tmp_path, RunOptions(device="cpu", n_jobs=1), recipe=recipe)
    assert any(variant.name in found.what for found in done.findings.rows)
    assert done.findings.figures


def test_reductions_use_words_for_settings_that_stand_for_all() -> None:
    experiment = experiments("information-plane")["fang"]
    reduced = experiment.reduced(experiment.recipe("cpu"))
    assert "MLP: size is 20000 instead of all; " in reduced
    assert "LeNet-5: at most is 3 instead of no limit" in reduced
