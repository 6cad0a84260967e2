"""What single rows of Table I are judged by, against the review's text, enumeration and closed forms."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from infoflow_reproductions import Results, RunOptions, Trial, experiments, reproduce
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.information_plane import ROWS
from infoflow_reproductions.information_plane.claims import (
    Compression,
    Rises,
    Rule,
    at_the_ceiling,
    below_the_label,
    falls_with_depth,
)
from infoflow_reproductions.information_plane.curves import NOT_ESTIMATED, Curve, plane_of
from infoflow_reproductions.information_plane.fano import fano
from infoflow_reproductions.information_plane.figures import _changes, _quantity, pictures
from infoflow_reproductions.information_plane.generalization import connected_at_the_softmax, unconnected
from infoflow_reproductions.information_plane.layer_estimators import GaussianChannel, label_of
from infoflow_reproductions.information_plane.networks import VISION, build
from infoflow_reproductions.information_plane.reading import DECISION, Reading
from infoflow_reproductions.information_plane.recipe import OUTPUT, Recipe, SettingSweep, Variant
from infoflow_reproductions.information_plane.rows import (
    alemi,
    balda,
    chelombiev,
    cheng,
    darlow,
    fang,
    gabrie,
    goldfeld,
    noshad,
    saxe,
    schiemer,
    shwartz_ziv,
    wickstrom,
)
from infoflow_reproductions.information_plane.soundness import CONTRADICT
from matplotlib.figure import Figure as Canvas
from torch import nn

from infoflow.plane.truth import INFINITE, NOISY

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
    nats = {"layer1": [1.0, 6.0, 3.0, 6.0, 3.0], "layer2": [4.0, 6.0, 4.0, 6.0, 5.5], OUTPUT: [4.0, 5.0, 5.0, 5.0, 5.0]}

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
    sweep = SettingSweep("binning", "width", (0.1, 1.0))
    recipe = Recipe((Variant("net", noise=0.1),), ("dependence-graph",), (sweep,))
    first, (fine, coarse) = label_of(recipe.estimators[0]), map(label_of, sweep.texts)
    found = [curves("relu1", name, [1.0, 6.0, 3.0]) for name in (first, coarse)]
    found.append(curves("relu1", fine, [6.0, 1.0, 4.0]))
    found.append(curves("relu1", first, [0.0, 1.0, label], axis="label"))
    claim = goldfeld.like_binning(reading_of(recipe, "net", found, train_loss=[1.0, 0.5, 0.1]), "net")
    assert claim.holds is holds
    assert claim.evidence.startswith(f"{coarse}: mean 1 ")
    assert f"{fine}: -1.00" in claim.evidence
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
                {
                    "layer": "relu1",
                    "depth": 0,
                    "measure": measure,
                    "epochs": [0, 1],
                    "seeds": [seed],
                    "values": [[value] for value in values],
                }
                for measure, values in scales.items()
            ],
        }
    claim = rule(Reading(recipe, Results(trials, known)), "net")
    sound = label < 6
    assert claim.holds is (holds if sound else None)
    assert (CONTRADICT in claim.evidence) is not sound
    assert ("Why: no other estimator was run" in claim.evidence) is (claim.holds is False)


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
    assert f"The information plane, estimated with {DECISION}." in captions
    of_net = "The true I(X;T) of net is infinite; the plane then shows a geometric quantity."
    assert f"The information plane, estimated with {estimator}. {of_net}" in captions


@pytest.mark.parametrize(
    ("text", "geometric"),
    [("noisy-mine:variance=0.0", False), ("noisy-mine:variance=2.0", True), ("generative:side=3,epochs=1", False)],
)
def test_only_measures_of_geometry_are_called_so(text: str, geometric: bool) -> None:
    """Review, III-C: a fall estimated with a generative model has no plausible geometric explanation."""
    estimator, quantity = label_of(text), "I(X;T+ε)" if geometric else "I(X;T)"
    trial = Trial("net/seeds from 0", max, {})
    found = {
        "curves": [curves(OUTPUT, estimator, [1.0, 2.0], quantity=quantity)],
        "metrics": {},
        "truth": INFINITE,
    }
    reading = Reading(Recipe((), (text,)), Results([trial], {trial.name: found}))
    assert any("geometric quantity" in figure.caption for figure in pictures(reading)) is geometric


def test_every_published_claim_has_a_section_or_names_the_surveyed_paper() -> None:
    for row in ROWS:
        for _, place in row.places:
            assert place.startswith(("section III-", "section IV, item ", "the surveyed paper ["))


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
        assert below_the_label(reading_of(recipe, name, found), name).holds is holds


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
    fallen = [500.0, 501.0, 499.0, *([498.0] * 38)]
    again = [500.0, 501.0, 499.0, *([498.0] * 37), 498.5]
    for nats, holds in ((fallen, True), (again, False), ([500.0 + 0.1 * i for i in range(41)], False)):
        found = [curves("layer1", gabrie.REPLICA, nats)]
        (claim,) = gabrie.falls(reading_of(gabrie.Recipe(), "linear-ReLU", found))
        assert claim.holds is holds
        assert claim.published


def test_a_layer_that_does_not_fall_is_compared_with_the_other_estimators() -> None:
    rising, falling = [500.0, 501.0, 505.0], [500.0, 499.0, 490.0]
    found = [curves("layer1", name, nats) for name, nats in ((gabrie.REPLICA, rising), (gabrie.BOUND, falling))]
    (claim,) = gabrie.falls(reading_of(gabrie.Recipe(), "linear-ReLU", found))
    assert claim.holds is False
    assert f"Why: depends on the estimator: it holds with {gabrie.BOUND}" in claim.evidence


def test_changes_are_drawn_where_the_label_axis_has_no_estimator() -> None:
    nats = [500.0, 501.0, 499.0]
    for quantity, drawn in ((NOT_ESTIMATED, "Change of I(X;T+ε) since"), ("I(T;Y)", "The information plane, ")):
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
    assert "MLP: training samples 20,000 instead of all; " in reduced
    assert "LeNet-5: seeds at most 3 instead of no limit" in reduced
    added = experiments("information-plane")["jonsson"]
    reduced = added.reduced(added.recipe("cpu"))
    assert "without VGG16; with six convolutions (epochs 8, training samples 3,000, inputs measured 600)" in reduced


def test_compression_after_fitting_does_not_count_a_fall_from_the_untrained_network() -> None:
    """Review, III-D: fitting and subsequent compression."""
    recipe = Recipe((Variant("net"),), ("dependence-graph",))
    estimator, label = label_of("dependence-graph"), [0.1, 2.0, 2.1, 2.1]
    rule = Compression("some", "then some hidden layer compresses", after_fitting=True)
    for nats, holds in (([5.0, 3.0, 3.0, 3.0], False), ([3.0, 5.0, 4.0, 3.0], True)):
        found = [curves("relu1", estimator, nats), curves("relu1", estimator, label, math.log(10), axis="label")]
        found += [curves(OUTPUT, estimator, [4.0] * 4), curves(OUTPUT, estimator, label, math.log(10), axis="label")]
        reading = reading_of(recipe, "net", found, train_loss=[1.0, 0.5, 0.2, 0.1])
        assert rule(reading, "net").holds is holds
        assert Compression("some", "")(reading, "net").holds is True


def test_equivocation_must_fall_after_the_entropy_of_the_decision_has_risen() -> None:
    """Review, III-E: first a strong increase of H(L), followed by a decrease of H(L|Y)."""
    recipe, top = Recipe((Variant("net"),), ("decision-rule",)), math.log(10)

    def judged(entropy: list[float], given: list[float]) -> Any:
        label = [h - g for h, g in zip(entropy, given, strict=True)]
        found = [curves(OUTPUT, "DecisionRule", entropy, top), curves(OUTPUT, "DecisionRule", label, top, axis="label")]
        return balda.equivocation_falls(reading_of(recipe, "net", found), "net")

    risen = [0.1, 1.0, 2.3, 2.3, 2.3]
    assert judged(risen, [0.1, 0.9, 1.5, 0.8, 0.3]).holds is True
    assert judged(risen, [0.1, 1.5, 0.3, 0.3, 0.3]).holds is False  # it has fallen before
    assert judged([0.1, 2.3, 2.3, 2.3, 2.3], [0.1, 1.5, 0.8, 0.5, 0.3]).holds is None


def test_some_seed_with_two_turns_is_enough() -> None:
    """Review, III-A: I(X;L) may increase and decrease again multiple times."""
    recipe = Recipe((Variant("net"),), ("dependence-graph",))
    estimator = label_of("dependence-graph")
    steady, turning = [1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 1.0, 3.0]
    for seeds, holds in (([steady, steady, turning], True), ([steady] * 3, False)):
        found = curves("relu1", estimator, steady)
        found["nats"] = [list(values) for values in zip(*seeds, strict=True)]
        reading = reading_of(recipe, "net", [found], train_loss=[1.0, 0.5, 0.2, 0.1])
        assert goldfeld.turns_often(reading, "net").holds is holds


def test_convolutions_must_be_near_the_ceiling_at_every_snapshot() -> None:
    """Review, IV, item 4: close to log |D| throughout entire training."""
    recipe, top = Recipe((Variant("net"),), ("binning:width=0.1",)), math.log(100)
    estimator = label_of("binning:width=0.1")
    early = [curves(layer, estimator, [0.5 * top, top], top, n=100) for layer in ("tanh1", "tanh2")]
    reading = reading_of(recipe, "net", early)
    assert goldfeld.near_ceiling(reading, "net").holds is True
    assert goldfeld.near_ceiling(reading, "net", convolutions=True).holds is False


def test_layers_that_are_saturated_at_one_snapshot_alone_do_not_remain_there() -> None:
    """Review, III-A: many layers remain at (log |D|, I(X;Y)) throughout training."""
    recipe, top = Recipe((Variant("net"),), ("binning:width=0.07",)), math.log(100)
    fine, coarse = (label_of(f"binning:width={width}") for width in (0.01, 0.3))

    def judged(nats: list[float]) -> bool | None:
        found = [
            curves("tanh1", name, values, top, axis=axis)
            for name, values in ((fine, nats), (coarse, [1.0, 1.0, 1.0]))
            for axis in ("input", "label")
        ]
        return schiemer.saturates(reading_of(recipe, "net", found), "net").holds

    assert judged([1.0, top, top]) is True  # whatever it is before training
    assert judged([top, 0.5 * top, top]) is False


def test_information_falls_with_the_layer_index_where_no_layer_has_more_than_the_one_before() -> None:
    recipe = Recipe((Variant("net"),), ("binning:width=0.1",))
    estimator = label_of("binning:width=0.1")
    for ends, holds in (((5.0, 4.0, 3.0), True), ((5.0, 2.0, 3.0), False)):
        found = [
            {**curves(layer, estimator, [0.0, end]), "depth": depth}
            for depth, (layer, end) in enumerate(zip(("tanh1", "tanh2", OUTPUT), ends, strict=True))
        ]
        assert falls_with_depth(reading_of(recipe, "net", found), "net").holds is holds


def test_accuracy_counts_once_fitting_has_ended() -> None:
    recipe = Recipe((Variant("net"),), ("binning:width=0.1",))
    found = [curves("tanh1", label_of("binning:width=0.1"), [1.0, 4.0, 3.0, 2.0])]
    metrics = {"test_accuracy": [0.5, 0.6, 0.9, 0.8], "train_accuracy": [0.5, 0.6, 1.0, 1.0]}
    claim = shwartz_ziv.generalizes(reading_of(recipe, "net", found, **metrics), "net")
    assert claim.sample is not None
    assert claim.sample.mean == pytest.approx(-10)  # from 0.9, where training accuracy is 1, to 0.8
    assert claim.holds is False


def test_a_mean_that_falls_by_little_is_no_compression_on_average() -> None:
    recipe = Recipe((Variant("net"),), ("binning:width=0.1",))
    estimator = label_of("binning:width=0.1")
    for end, holds in ((3.98, True), (3.0, False)):
        found = [curves("relu1", estimator, [1.0, 4.0, end], 9.0), curves("relu2", estimator, [1.0, 9.0, 9.0], 9.0)]
        claim = chelombiev.on_average(reading_of(recipe, "net", found, test_accuracy=[0.5, 0.6, 0.7]), "net")
        assert claim.evidence.endswith("left out: relu2 (saturated)")
        assert claim.verdict == ("reproduced" if holds else "inconclusive")  # three seeds


def test_overfitting_is_judged_where_the_test_loss_rises() -> None:
    """Review, III-E: overfitting is represented by a decrease of I(Y;L) combined with an increase of I(X;L)."""
    found = [
        curves(OUTPUT, alemi.LOWER, [0.0, 2.0, 4.0]),
        curves(OUTPUT, alemi.LOWER, [0.0, 1.0, 0.5], axis="label"),
    ]
    for loss, holds in (([1.0, 0.5, 0.9], True), ([1.0, 0.5, 0.4], None)):
        reading = reading_of(alemi.Recipe(), "erf", found, test_loss=loss)
        assert [claim.holds for claim in alemi.overfitting(reading, "erf")] == [holds, holds]
        cnn = reading_of(alemi.Recipe(), f"erf{alemi.CNN}", found, test_loss=loss)
        assert [claim.published for claim in alemi.overfitting(cnn, f"erf{alemi.CNN}")] == [True, False]


def test_information_that_stays_high_does_so_at_every_snapshot() -> None:
    """Review, III-D: I(X;L) and I(Y;L) stay at high values throughout entire training."""
    recipe = Recipe((Variant("net"),), ("dependence-graph",))
    estimator = label_of("dependence-graph")
    for nats, holds in (([0.1, 3.6, 3.9], True), ([3.9, 2.0, 3.9], False)):
        found = [curves("relu1", estimator, nats, 4.0), curves("relu1", estimator, [0.0, 2.0, 2.0], 2.0, axis="label")]
        reading = reading_of(recipe, "net", found, test_accuracy=[0.1, 0.9, 0.9])
        assert wickstrom.stays_high(reading, "net").holds is holds


def test_a_falling_test_error_is_in_step_with_whatever_changes() -> None:
    epochs = {"test_loss": [1.0, 0.9, 0.8, 0.7]}
    found = [curves("layer1", gabrie.REPLICA, [500.0, 499.0, 498.0, 497.0])]
    (claim,) = gabrie.out_of_step(reading_of(gabrie.Recipe(), "linear-ReLU", found, **epochs))
    assert claim.holds is None
    assert "falls at every snapshot" in claim.evidence
    epochs = {"test_loss": [1.0, 0.7, 0.8, 0.9]}
    (claim,) = gabrie.out_of_step(reading_of(gabrie.Recipe(), "linear-ReLU", found, **epochs))
    assert "falls at every snapshot" not in claim.evidence
