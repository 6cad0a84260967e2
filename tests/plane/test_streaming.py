"""Streams: snapshots of a model in training, resumed streams, and their plane."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import BrokenStore, InvalidArgument, UnknownName
from infoflow.plane import Plane, audit, plane_of, stream
from infoflow.profiles import TrainingProfile

VOCABULARY, WIDE = 24, 80


def held_out(count: int = 6) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(VOCABULARY, (8, 20), generator=generator) for _ in range(count)]


def language_model(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    blocks = [nn.Sequential(nn.Linear(WIDE, WIDE), nn.Tanh()) for _ in range(2)]
    return nn.Sequential(nn.Embedding(VOCABULARY, WIDE), nn.Sequential(*blocks), nn.Linear(WIDE, VOCABULARY))


def trained(model: nn.Module, steps: range) -> None:
    """Full-batch steps that depend on the model alone, so that a training can be continued."""
    ids = held_out(2)[0]
    for _ in steps:
        loss = nn.functional.cross_entropy(model(ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter -= 0.5 * gradient


def test_an_interrupted_and_resumed_stream_gives_the_same_table(tmp_path: Path) -> None:
    whole = language_model()
    with stream(whole, held_out(), store=tmp_path / "whole") as complete:
        for step in range(4):
            complete.snapshot(step, loss=1.0 / (1 + step))
            trained(whole, range(3))
    model = language_model()
    with stream(model, held_out(), store=tmp_path / "parts") as first:
        for step in range(2):
            first.snapshot(step, loss=1.0 / (1 + step))
            trained(model, range(3))
    # The process ends here: a new stream reads codes and snapshots from the folder.
    with stream(model, held_out(), store=tmp_path / "parts", resume=True) as second:
        assert second.steps == [0, 1]
        for step in range(2, 4):
            second.snapshot(step, loss=1.0 / (1 + step))
            trained(model, range(3))
    read = stream(model, held_out(), store=tmp_path / "parts", resume=True)
    for each in (second, read):
        assert each.frame.equals(complete.frame)
        assert each.profile.metrics.equals(complete.profile.metrics)
    assert read.profile.codes is not None
    assert complete.profile.codes is not None
    assert torch.equal(read.profile.codes.ids, complete.profile.codes.ids)
    assert complete.frame["value"].nunique() > 20  # training changed the numbers


def test_the_plane_has_both_axes_and_passes_the_audit(tmp_path: Path) -> None:
    model = language_model()
    with stream(model, held_out(20), network="small") as streaming:
        for step in range(2):
            streaming.snapshot(step)
            trained(model, range(5))
    plane = streaming.plane()
    assert isinstance(plane, Plane)
    assert plane.networks == ["small"]
    assert plane.probes == ["current", "next"]
    assert plane.estimators == ["SoftEntropy"]
    assert plane.time == "step"
    points = len(streaming.layers) * 2 * 2
    assert plane.frame["axis"].value_counts().to_dict() == {"input": points, "label": points}
    labels = plane.frame[plane.frame["axis"] == "label"]
    assert (labels["nats"] <= labels["ceiling"] + 1e-9).all()
    assert (labels["low"] <= labels["nats"]).all()
    checked = audit(plane)
    assert checked.ok
    both = checked.checks[checked.checks["check"] == "I(T;Y) ≤ I(X;T)"]
    assert both["checked"].sum() == points
    page = plane.report(tmp_path / "plane.html").read_text(encoding="utf-8")
    assert "SoftEntropy" in page
    assert plane.figure(tmp_path / "plane.png").stat().st_size > 10_000
    assert Plane.load(plane.save(tmp_path / "saved")).frame.equals(plane.frame)


def test_networks_of_several_seeds_share_a_plane() -> None:
    found = []
    for seed in range(2):
        with stream(language_model(seed), held_out()) as streaming:
            streaming.snapshot(0)
        found.append(streaming.profile)
    plane = plane_of({"small": found})
    assert sorted(plane.frame["seed"].unique()) == [0, 1]
    with pytest.raises(InvalidArgument, match="belongs on a plane"):
        plane_of(TrainingProfile(found[0].frame[found[0].frame["label"] == ""], codes=None))


def test_the_table_by_step_and_layer() -> None:
    with stream(language_model(), held_out(), quantities="soft-entropy") as streaming:
        streaming.snapshot(10)
        streaming.snapshot(0)
        streaming.snapshot(10)
    profile = streaming.profile
    assert profile.steps == [0, 10]
    table = profile.table("I(current;W)")
    assert table.index.tolist() == streaming.layers
    assert table[0].tolist() == table[10].tolist() == profile.at(0).select("I(current;W)")["value"].tolist()
    with pytest.raises(UnknownName, match="step"):
        profile.at(5)
    with pytest.raises(UnknownName, match="quantity"):
        profile.table("I(X;T)")
    assert streaming.truncate(0) == [10]
    assert streaming.steps == [0]


def test_the_model_and_random_states_are_as_before() -> None:
    model = language_model().train()
    state = torch.get_rng_state()
    with stream(model, held_out()) as streaming:
        streaming.snapshot(0)
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(InvalidArgument, match="closed"):
        streaming.snapshot(1)


def test_bad_folders_and_numbers_are_one_clear_line(tmp_path: Path) -> None:
    model, folder = language_model(), tmp_path / "run"
    with stream(model, held_out(), store=folder) as streaming:
        streaming.snapshot(3)
        with pytest.raises(InvalidArgument, match="metric 'loss' must be a number"):
            streaming.snapshot(4, loss="low")
    with pytest.raises(InvalidArgument, match="a new or empty folder, got a stream"):
        stream(model, held_out(), store=folder)
    with pytest.raises(InvalidArgument, match="seed must be 0 as in the stream"):
        stream(model, held_out(), store=folder, resume=True, seed=1)
    with pytest.raises(InvalidArgument, match="batches must be '.*' as in the stream"):
        stream(model, held_out(5), store=folder, resume=True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InvalidArgument, match="with other content"):
        stream(model, held_out(), store=other, resume=True)
    snapshot = next((folder / "snapshots").iterdir())
    content = json.loads(snapshot.read_text(encoding="utf-8"))
    assert content["step"] == 3
    snapshot.write_text("{", encoding="utf-8")
    with pytest.raises(BrokenStore, match="is damaged"):
        stream(model, held_out(), store=folder, resume=True)


def test_a_snapshot_that_fails_stores_nothing_and_earlier_ones_remain(tmp_path: Path) -> None:
    model = language_model()
    batches, whole = held_out(), held_out()
    with stream(model, batches, store=tmp_path / "run") as streaming:
        streaming.snapshot(0, loss=math.nan)
        batches[2] = torch.full((8, 20), VOCABULARY)
        with pytest.raises(InvalidArgument, match="cannot run on batch 2"):
            streaming.snapshot(1)
        assert streaming.steps == [0]
    again = stream(model, whole, store=tmp_path / "run", resume=True)
    assert again.steps == [0]
    assert math.isnan(again.profile.metrics["value"][0])
