"""Table I: rules of the verdicts, what trials return, and the pages made of them."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from infoflow_reproductions import Context, Results, RunOptions, Trial, finishing, reproduce
from infoflow_reproductions.information_plane import EXPERIMENTS, ROWS
from infoflow_reproductions.information_plane.claims import Compression, Rises, agreement
from infoflow_reproductions.information_plane.curves import Curve, packed, plane_of
from infoflow_reproductions.information_plane.ensembles import logistic_information, sample_bounds
from infoflow_reproductions.information_plane.generative import Generative
from infoflow_reproductions.information_plane.inputs import inputs
from infoflow_reproductions.information_plane.layer_estimators import NoisyNetwork
from infoflow_reproductions.information_plane.networks import build
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import Recipe, SettingSweep, Variant
from infoflow_reproductions.information_plane.row import verdict
from infoflow_reproductions.information_plane.rows.goldfeld import reversals
from infoflow_reproductions.information_plane.teacher import LinearStudent, linear_student
from infoflow_reproductions.information_plane.tracing import trace, trials

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.estimators import Binning, KernelDensity, SamplePropagation
from infoflow.plane import analyse, record
from infoflow.plane.compression import compression
from infoflow.plane.truth import COUNTED, NOISY
from infoflow.theory import binary_mixture_information

HERE = Context(None, "cpu", Path("unused"), progress=False)


def test_the_sixteen_rows_follow_the_order_of_the_table() -> None:
    assert [row.name for row in ROWS] == list(EXPERIMENTS)
    assert len(ROWS) == 16
    for row in ROWS:
        assert row.settings_known or row.chosen


@pytest.mark.parametrize(
    ("claims", "known", "wanted"),
    [
        (["reproduced", "reproduced"], True, ("reproduced", "")),
        (["reproduced", "inconclusive"], True, ("inconclusive", "")),
        (["inconclusive", "differs"], True, ("differs", "")),
        ([], True, ("inconclusive", "")),
        (["reproduced"], False, ("settings unknown", "reproduced")),
        (["differs"], False, ("settings unknown", "differs")),
    ],
)
def test_verdict_of_a_row_follows_from_its_claims(claims: list[str], known: bool, wanted: tuple[str, str]) -> None:
    assert verdict(claims, known) == wanted


def test_packed_plane_is_restored(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 2))
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    with record(model, x, torch.arange(40) % 2, store=tmp_path / "r", name="net") as recorder:
        for epoch in (0, 3):
            recorder.snapshot(epoch, train_accuracy=0.5)
    plane = analyse(tmp_path / "r", [Binning(width=0.3), KernelDensity(variance=0.1), "decision-rule"])
    again = plane_of({"net": [json.loads(json.dumps({"curves": packed(plane)}))]})
    # A decision that reaches log c is exact.
    stored = plane.frame.assign(saturated=plane.frame["saturated"] & (plane.frame["ceiling_name"] != "log c"))
    columns = ["layer", "epoch", "estimator", "axis", "nats", "ceiling", "saturated", "n", "kind"]
    order = ["estimator", "layer", "epoch", "axis"]
    one, other = (frame[columns].sort_values(order, ignore_index=True) for frame in (stored, again.frame))
    pd.testing.assert_frame_equal(one, other, atol=1e-5)
    assert compression(again.frame)["verdict"].tolist() == compression(stored)["verdict"].tolist()


def test_result_of_a_seed_does_not_depend_on_the_other_seeds() -> None:
    recipe = Recipe((Variant("tanh", epochs=2, probe_size=100),), ("binning:width=0.1",), seeds=3, snapshots=2)
    (together,) = trials(recipe)
    alone = trials(dataclasses.replace(recipe, seeds=1))[0]
    assert alone.name == together.name
    found, single = (trace(trial.settings, context=HERE) for trial in (together, alone))
    assert found["truth"] == COUNTED
    for many, one in zip(found["curves"], single["curves"], strict=True):
        assert np.allclose(np.array(many["nats"])[:, :1], one["nats"], atol=1e-5)


def test_label_noise_changes_the_labels_to_train_on_alone() -> None:
    clean, noisy = (
        inputs(Variant("v", data="digits", label_noise=share), 100, None, images=False) for share in (0, 0.5)
    )
    assert torch.equal(clean.train[0], noisy.train[0])
    changed = float((clean.train[1] != noisy.train[1]).double().mean())
    assert changed == pytest.approx(0.5 * 9 / 10, abs=0.04)
    for name, (_, labels) in clean.probes.items():
        assert torch.equal(labels, noisy.probes[name][1])
    with pytest.raises(InvalidArgument, match="label_noise must be between 0 and 1, got 1.5"):
        inputs(Variant("v", data="digits", label_noise=1.5), 100, None, images=False)


def test_an_overfitting_student_loses_the_label_and_one_with_ample_data_does_not() -> None:
    ends = {}
    for samples in (100, 1000):
        student = LinearStudent("s", samples=samples, epochs=2000, snapshots=8)
        found = linear_student(student, context=HERE)
        label = [value for (value,) in found["curves"][1]["nats"]]
        losses = [value for (value,) in found["metrics"]["test_loss"]["values"]]
        ends[samples] = label[-1] / max(label), losses[-1] / min(losses)
    assert ends[100][0] < 0.9 < ends[1000][0]
    assert ends[100][1] > 1.2 > ends[1000][1]


def test_noisy_network_is_recorded_as_noisy_with_repeated_inputs() -> None:
    variant = Variant("noisy", noise=0.1, epochs=1, probe_size=10, repeats=3, size=256, batch_size=64)
    recipe = Recipe((variant,), ("noisy-network:variance=0.01,draws=2",), seeds=1, snapshots=2, without_ceiling="")
    (trial,) = trials(recipe)
    found = trace(trial.settings, context=HERE)
    assert found["truth"] == NOISY
    assert {curve["n"] for curve in found["curves"]} == {30}
    tops = [np.max(curve["nats"]) for curve in found["curves"] if curve["axis"] == "input"]
    assert max(tops) <= math.log(10) + 1e-6


def test_noise_before_the_layer_reduces_information() -> None:
    """T = S + own noise: if S has no noise, I is that of the mixture; noise in S, drawn anew, reduces it."""
    generator = torch.Generator().manual_seed(0)
    x = torch.arange(20.0)[:, None].repeat_interleave(8, 0)
    y = (x[:, 0] > 9).long()
    reader = NoisyNetwork(SamplePropagation(variance=0.25, draws=500))
    found = reader.measure(x, y, x)
    assert (found.input.quantity, found.label.quantity) == ("I(X;T+ε)", "I(T+ε;Y)")
    quiet = found.input.nats
    loud = reader.measure(x + 2 * torch.randn(x.shape, generator=generator), y, x).input.nats
    assert quiet == pytest.approx(SamplePropagation(variance=0.25, draws=500).entropy(x[::8]).nats, abs=0.03)
    assert loud < quiet - 0.5


def test_information_of_three_noisy_neurons_agrees_with_quadrature() -> None:
    """One input X = ±1, three tanh neurons with noise: I(X;T) of a mixture of two Gaussians, on their line."""
    weights, sigma = torch.tensor([[0.3, -0.5, 0.2]]), 0.4
    x = torch.tensor([[-1.0], [1.0]]).repeat(200, 1)
    centers = torch.tanh(x @ weights)
    half = float((centers[1] - centers[0]).norm()) / 2
    grid = np.linspace(-12, 12, 200_001) * sigma
    density = sum(np.exp(-((grid - s * half) ** 2) / (2 * sigma**2)) for s in (-1, 1)) / (
        2 * sigma * math.sqrt(2 * math.pi)
    )
    entropy = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), grid)
    truth = entropy - 0.5 * math.log(2 * math.pi * math.e * sigma**2)
    found = SamplePropagation(variance=sigma**2, draws=64).estimate(centers, (x[:, 0] > 0).long())
    assert found.nats == pytest.approx(truth, abs=0.01)
    bounds = [KernelDensity(sigma**2, bound).entropy(centers).nats for bound in ("lower", "upper")]
    assert bounds[0] <= truth <= bounds[1]


def test_information_of_a_linear_student_obeys_data_processing() -> None:
    student = LinearStudent("s", inputs=3, hidden=2, samples=20, noise=0.5, epochs=1, snr=2.0, snapshots=2)
    found = linear_student(student, context=HERE)
    information, label = (np.array(curve["nats"]) for curve in found["curves"])
    assert (information > 0).all()
    assert (label >= 0).all()
    assert (label <= 0.5 * math.log(3) + 1e-9).all()
    assert (label <= information + 1e-9).all()  # data processing: Y depends on T through X


def test_small_moves_of_a_curve_are_no_reversals() -> None:
    assert reversals([0, 1, 2, 1, 2.5, 0]) == 3
    assert reversals([0, 1, 2, 1.98, 2.1, 2.05]) == 0


def test_sample_bounds_enclose_the_information_of_a_gaussian_channel() -> None:
    generator = torch.Generator().manual_seed(0)
    x = 2 * torch.randn(3000, generator=generator)
    low, high = sample_bounds(x, torch.ones(3000), torch.randn(4, 3000, generator=generator))
    assert low - 0.03 < 0.5 * math.log(5) < high + 0.03


def test_a_logistic_model_finds_the_information_of_two_gaussian_classes() -> None:
    """Where the classes are two Gaussians of one variance the logistic model is exact."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(4000) % 4 < 2
    z = 2.0 * y - 1 + torch.randn(8, 4000, generator=generator, dtype=torch.float64)
    assert logistic_information(3 * z + 5, y) == pytest.approx(float(binary_mixture_information(1.0)), abs=0.01)
    assert logistic_information(torch.randn(8, 4000, generator=generator, dtype=torch.float64), y) < 0.002


def test_generative_model_finds_the_information_about_the_picture() -> None:
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 2, (800, 2), generator=generator).float()
    pictures = torch.zeros(800, 4, 4)
    pictures[:, :2, :2], pictures[:, 2:, 2:] = bits[:, :1, None], bits[:, 1:, None]
    small = Generative(side=2, levels=2, epochs=15)
    both = small.information(pictures.flatten(1), bits)
    one = small.information(pictures.flatten(1), bits[:, :1])
    none = small.information(pictures.flatten(1), torch.rand(800, 1, generator=generator))
    assert both.nats == pytest.approx(2 * math.log(2), abs=0.1)
    assert one.nats == pytest.approx(math.log(2), abs=0.1)
    assert none.nats < 0.05
    # The cross-entropy without a layer belongs to these pictures: others of the same size must not reuse it.
    fewer = pictures * torch.tensor([1.0, 1.0, 0.0, 0.0])[:, None]
    assert small.information(fewer.flatten(1), bits).nats == pytest.approx(math.log(2), abs=0.1)


FALLS, STAYS, SOME = (
    Compression(expected, "text")
    for expected in ("all", "none", "some")  # type: ignore[arg-type]
)
RISES, RISES_INPUT = Rises("text"), Rises("text", axis="input")
RISES_FIRST = Rises("text", axis="input", at_first=True)
LABEL = (0.0, 0.5, 0.6)


def curves_of(
    estimator: str, nats: list[float], ceiling: float = 9.0, label: tuple[float, ...] = LABEL, seeds: int = 3
) -> list[dict[str, Any]]:
    """Curves of one layer that are the same for every seed."""
    axes = (("input", nats, ceiling), ("label", label, 9.0 if label[-1] > 0.69 else 0.69))
    return [
        dataclasses.asdict(
            Curve(
                "tanh1",
                0,
                estimator,
                axis,
                "H(Q(T))",
                "plug-in",
                [0, 1, 2],
                list(range(seeds)),
                [[value] * seeds for value in values],
                top,
                n=10,
            )
        )
        for axis, values, top in axes
    ]


def reading_of(*curves: list[dict[str, Any]], seeds: int = 3, last_loss: float = 0.1) -> Reading:
    losses = [[0.7] * seeds, [0.3] * seeds, [0.1] * (seeds - 1) + [last_loss]]
    loss = {"epochs": [0, 1, 2], "seeds": list(range(seeds)), "values": losses}
    found = {"net/seeds from 0": {"curves": [one for some in curves for one in some], "metrics": {"train_loss": loss}}}
    recipe = Recipe((Variant("net"),), ("binning:width=0.1",))
    return Reading(recipe, Results([Trial("net/seeds from 0", max, {})], found))


def test_one_seed_or_a_network_that_does_not_learn_is_inconclusive() -> None:
    def reading(seeds: int, last_loss: float = 0.1) -> Reading:
        curves = curves_of("Binning(width=0.1)", [1.0, 4.0, 2.0], label=(0.0, 0.9, 1.9), seeds=seeds)
        return reading_of(curves, seeds=seeds, last_loss=last_loss)

    assert FALLS(reading(1), "net").holds is None
    assert FALLS(reading(3), "net").holds is True
    assert STAYS(reading(3), "net").holds is False
    assert SOME(reading(3), "net").holds is True
    assert RISES(reading(3), "net").holds is True
    for loss in (0.69, 3.2, math.nan):
        for rule in (FALLS, RISES):
            claim = rule(reading(3, loss), "net")
            assert claim.holds is None
            assert claim.evidence.endswith("the network does not learn with seed 2")


def test_evidence_of_a_claim_that_differs_names_estimators_by_which_it_holds() -> None:
    fine, other = "Binning(width=0.1)", "Binning(width=1.0)"
    fallen, kept = [1.0, 4.0, 2.0], [1.0, 4.0, 4.0]
    depends = STAYS(reading_of(curves_of(fine, fallen), curves_of(other, kept)), "net")
    assert depends.holds is False
    assert depends.evidence.endswith(
        f"Why: depends on the estimator: it holds with {other} and fails with 0 of 1 other estimators"
    )
    agreed = STAYS(reading_of(curves_of(fine, fallen), curves_of(other, fallen)), "net")
    assert agreed.evidence.endswith("Why: holds with no other estimator: it also fails with 1 of 1 other estimators")
    full = reading_of(curves_of(fine, fallen), curves_of(other, [4.0, 4.0, 4.0], ceiling=4.0))
    assert STAYS(full, "net").evidence.endswith("Why: inconclusive with all 1 other estimators")
    alone = reading_of(curves_of(fine, fallen))
    assert STAYS(alone, "net").evidence.endswith("Why: no other estimator was run")
    both = reading_of(curves_of(fine, kept), curves_of(other, fallen))
    ours = dataclasses.replace(FALLS, published=False)(both, "net")
    assert ours.holds is False
    assert "Why" not in ours.evidence
    assert "Why" in FALLS(both, "net").evidence
    assert "Why" not in STAYS(reading_of(curves_of(fine, kept)), "net").evidence


def test_rise_from_a_ceiling_is_inconclusive() -> None:
    name = "Binning(width=0.1)"
    assert RISES_INPUT(reading_of(curves_of(name, [4.0, 3.0, 2.0])), "net").holds is False
    claim = RISES_INPUT(reading_of(curves_of(name, [4.0, 3.0, 2.0], ceiling=4.0)), "net")
    assert claim.holds is None
    assert claim.evidence.endswith("saturated at the start")
    # An estimate rises from its ceiling by rounding alone.
    assert RISES_INPUT(reading_of(curves_of(name, [3.9999, 4.0, 4.0], ceiling=4.0)), "net").holds is None
    risen = reading_of(curves_of(name, [1.0, 4.0, 0.7]))
    assert RISES_INPUT(risen, "net").holds is False
    assert RISES_FIRST(risen, "net").holds is True
    assert RISES_FIRST(reading_of(curves_of(name, [3.9, 4.0, 0.7])), "net").holds is False


def test_rise_of_a_layer_that_breaks_data_processing_is_inconclusive() -> None:
    broken = reading_of(curves_of("Binning(width=0.1)", [0.1, 0.2, 0.3]))  # I(T;Y) ends at 0.6
    for rule in (RISES, RISES_INPUT, RISES_FIRST):
        claim = rule(broken, "net")
        assert claim.holds is None
        assert "left out: tanh1 (I(T;Y) = 0.8656 bits exceeds I(X;T) = 0.4328 bits)" in claim.evidence


def test_training_and_test_inputs_are_measured_separately() -> None:
    recipe = Recipe((Variant("net", epochs=3, widths=(4,)),), ("binning:width=0.3",), seeds=2, snapshots=3, pairs=90)
    (trial,) = trials(recipe)
    found = trace(trial.settings, context=HERE)
    reading = Reading(recipe, Results([trial], {trial.name: found}))
    assert set(reading.plane.frame["probe"]) == {"probe"}
    assert set(reading.sides["probe"]) == {"train", "test"}
    assert set(reading.sides["n"]) == {90}
    both = reading.sides.pivot_table(index=["layer", "epoch", "axis", "seed"], columns="probe", values="nats")
    assert not np.allclose(both["train"], both["test"])
    (claim,) = agreement(reading)
    assert not claim.published
    # Replace the values by those of a layer that compresses on the training inputs alone.
    rows = reading.sides
    first, last = rows["epoch"].min(), rows["epoch"].max()
    for axis, side, end in (
        ("label", "train", 0.6),
        ("label", "test", 0.6),
        ("input", "train", 1.0),
        ("input", "test", 3.0),
    ):
        chosen = (rows["axis"] == axis) & (rows["probe"] == side)
        rows.loc[chosen, "nats"] = 0.0 if axis == "label" else 3.0
        rows.loc[chosen & (rows["epoch"] == last), "nats"] = end
        rows.loc[chosen & (rows["epoch"] == first), "nats"] = 0.0
    (claim,) = agreement(reading)
    assert claim.holds is False
    assert "compresses on training inputs, does not compress on test inputs" in claim.evidence


def test_estimator_given_by_two_texts_runs_once() -> None:
    sweep = SettingSweep("kernel-density:variance=0.1", "bound", ("upper", "lower"))  # type: ignore[arg-type]
    variant, text = Variant("net", epochs=1, widths=(4,)), "kernel-density:bound=upper,variance=0.1"
    recipe = Recipe((variant,), (text,), (sweep,), seeds=2, snapshots=2, pairs=60)
    (trial,) = trials(recipe)
    assert len(trial.settings.estimators) == 4  # with the one that has no ceiling
    found = trace(trial.settings, context=HERE)
    curves = [c for c in found["curves"] if c["layer"] == "output" and c["probe"] == "pairs" and c["axis"] == "input"]
    assert len({curve["estimator"] for curve in curves}) == len(curves) == 3


def test_classes_are_selected_and_images_enlarged() -> None:
    some = inputs(Variant("3 and 8", data="digits", classes=(8, 3)), 100, None, images=True)
    assert some.classes == 2
    assert some.train[0].shape[1:] == (1, 16, 16)
    assert set(some.train[1].tolist()) == {0, 1}
    assert len(some.probes["pairs"][1]) == 100
    network = build(Variant("c", network="lenet5"), some.train[0].shape[1:], 2, [0])
    assert network(some.test[0]).shape == (len(some.test[1]), 2)


@pytest.mark.parametrize(("network", "layer"), [("resnet18", "layer4"), ("densenet121", "features.denseblock4")])
def test_torchvision_networks_accept_gray_images(network: str, layer: str) -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed (extra 'vision')")
    variant = Variant("net", data="digits", network=network, epochs=1, size=64, probe_size=40, layers=(layer, "output"))
    (trial,) = trials(Recipe((variant,), ("binning:width=0.1",), seeds=1, snapshots=2))
    found = trace(trial.settings, context=HERE)
    assert {curve["layer"] for curve in found["curves"]} == {layer, "output"}


def test_page_of_all_rows_lists_what_was_run(tmp_path: Path) -> None:
    folder = tmp_path / "balda"
    reproduce(EXPERIMENTS["balda"], "smoke", folder, RunOptions(device="cpu"))
    finish = finishing("information-plane")
    assert finish is not None
    page = finish({"balda": folder}, tmp_path).read_text()
    assert page.count("not run") == 15 + 1  # and in the sum above
    assert 'href="balda/report.html"' in page
    assert page.count("data:image/png") == 1
    assert page.count("no settings") == 1
    results = json.loads((folder / "results.json").read_text())
    claim = "{}: compression verdicts do not depend on binning width over 2.0 decades"
    results["claims"] += [
        {"claim": claim.format(name), "verdict": verdict, "evidence": "", "published": False}
        for name, verdict in (("tanh", "holds"), ("ReLU", "does not hold"), ("softsign", "does not hold"))
    ]
    (folder / "results.json").write_text(json.dumps(results))
    page = finish({"balda": folder}, tmp_path).read_text()
    assert "no: 1, yes: 2 (of 3)" in page
    assert "<li>yes: ReLU: binning width over 2.0 decades</li>" in page
    (folder / "results.json").write_text("{")
    with pytest.raises(BrokenStore, match="damaged"):
        finish({"balda": folder}, tmp_path)
