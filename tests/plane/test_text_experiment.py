"""The profile of a small language model through training: complete, resumable to the same table, not overwritten."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from infoflow.errors import InvalidArgument
from infoflow.plane import text_experiment, text_training
from infoflow.plane.text_experiment import QUICK, SURPRISE, run_text

TINY = dataclasses.replace(QUICK, vocabulary=100, held_out_windows=32, probe_rows=300)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_text(TINY, tmp_path_factory.mktemp("text") / "run").folder


@pytest.mark.slow
def test_a_run_holds_every_layer_step_and_control_and_its_page(done: Path) -> None:
    table = pd.read_csv(done / "table.csv")
    assert sorted(set(table["step"])) == [0, 1, 3]
    assert list(dict.fromkeys(table["layer"])) == ["blocks.0:input", "blocks.0", "blocks.1"]
    names = {f"I({label};W){name}" for label in ("current", "next") for name in ("", ", whitened", ", not centered")}
    assert names | {"V-information of current", "V-information of next"} <= {*table["quantity"]}
    bounded = table[table["ceiling"].notna()]
    assert (bounded["value"] <= bounded["ceiling"] + 1e-9).all()
    assert (done / "profile.html").stat().st_size > 10_000
    assert (done / "profile.png").stat().st_size > 10_000
    assert (done / "plane" / "report.html").exists()


@pytest.mark.slow
def test_surprise_of_tokens_is_the_cross_entropy_of_the_model(done: Path) -> None:
    found = json.loads((done / "tokens" / f"{3:012d}.json").read_text())
    text = text_training.corpus(TINY.training())
    model = text_training.train_decoder(TINY.training(), text)
    with torch.no_grad():
        log_p = model(text.passage[None, :-1])[0].log_softmax(-1)
    expected = [-float(log_p[place, code]) for place, code in enumerate(text.passage[1:])]
    assert found["steps"]["3"][SURPRISE][0] is None
    assert found["steps"]["3"][SURPRISE][1:] == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
def test_an_interrupted_run_continues_to_the_same_table(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = text_experiment._passage

    def stop_at_the_end(*arguments: Any) -> Any:
        if arguments[-1] == 3:
            raise KeyboardInterrupt
        return measured(*arguments)

    monkeypatch.setattr(text_experiment, "_passage", stop_at_the_end)
    with pytest.raises(KeyboardInterrupt):
        run_text(TINY, tmp_path / "run")
    monkeypatch.undo()
    with pytest.raises(InvalidArgument, match="output"):
        run_text(TINY, tmp_path / "run")
    run_text(TINY, tmp_path / "run", resume=True)
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "run" / "table.csv"), pd.read_csv(done / "table.csv"), rtol=1e-6
    )


def test_windows_of_training_depend_on_seed_and_step_alone() -> None:
    stream = torch.arange(1000)
    one = text_training._batch(stream, TINY, 0, 5)
    assert one.shape == (TINY.batch_size, TINY.length + 1)
    assert torch.equal(one, text_training._batch(stream, TINY, 0, 5))
    assert not torch.equal(one, text_training._batch(stream, TINY, 1, 5))
    assert torch.equal(one[:, 1:] - one[:, :-1], torch.ones(TINY.batch_size, TINY.length, dtype=torch.int64))
