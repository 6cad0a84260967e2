"""Tables 1 and 4 on CIFAR-100: read in torchvision's layout, judged beside the columns of CIFAR-100."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infoflow_reproductions import Results
from infoflow_reproductions.deep_infomax import EXPERIMENTS
from infoflow_reproductions.deep_infomax.notes import UNJUDGED
from infoflow_reproductions.harness import data as harness_data
from infoflow_reproductions.harness.data import images
from infoflow_reproductions.harness.figures import pack
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.row_claims import figures_of

from infoflow.data import cifar


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small folder in the layout of CIFAR-100, whose checksums the reader is given."""
    place = tmp_path / "cifar-100-python"
    place.mkdir()
    rng = np.random.default_rng(0)
    checksums: dict[str, dict[str, str]] = {}
    for name, count in (("train", 300), ("test", 100)):
        part = {
            "data": rng.integers(0, 256, (count, 3072)).tolist(),  # Python 3 would pickle an array in another way
            "fine_labels": [i % 100 for i in range(count)],
            "coarse_labels": [i % 20 for i in range(count)],
        }
        content = pickle.dumps(part, protocol=2)
        (place / name).write_bytes(content)
        checksums[name] = {name: hashlib.md5(content, usedforsecurity=False).hexdigest()}
    monkeypatch.setattr(cifar, "_CIFAR_100", checksums)
    harness_data._whole.cache_clear()
    yield tmp_path
    harness_data._whole.cache_clear()


def test_cifar100_is_read_with_its_hundred_fine_classes(folder: Path) -> None:
    found = images("cifar100", 250, 50, folder)
    assert found.train[0].shape == (250, 3, 32, 32)
    assert sorted(set(found.test[1].tolist())) == list(range(100))
    with (folder / "cifar-100-python" / "test").open("rb") as file:
        raw = pickle.load(file)  # noqa: S301  (written above)
    assert np.array_equal(found.test[0].numpy().reshape(100, -1), raw["data"])


def results(name: str, scale: str, found: Any) -> tuple[Any, Results]:
    recipe = EXPERIMENTS[name].recipe(scale)
    trials = EXPERIMENTS[name].trials(recipe)
    return recipe, Results(trials, {trial.name: found(trial.arguments) for trial in trials})


def test_table_1_has_the_columns_and_the_order_of_cifar_100() -> None:
    published = {  # Table 1, conv of CIFAR-100
        "VAE": 37.21,
        "AAE": 36.22,
        "BiGAN": 37.59,
        "NAT": 29.18,
        "DIM(G)": 27.68,
        "DIM(L) JSD": 48.13,
        "DIM(L) InfoNCE": 49.74,
    }
    image = pack(torch.zeros(1, 2, 3, 4, 4))
    on_y = {"vae": 24.22, "aae": 23.25, "bigan": 21.49, "nat": 9.72, "dim-g": 19.98, "dim-l": 39.60, "dim-l-nce": 41.61}

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        value = on_y.get(arguments["method"], 5.0) / 100 + 1e-3 * arguments["seed"]
        return {"conv": value, "fc": value, "Y": value, "accuracy": 0.4227, "neighbors": image}

    report = EXPERIMENTS["table1-cifar100"].report(*results("table1-cifar100", "full", found))
    rows = {row.what: row for row in report.rows}
    for method, figure in published.items():
        assert rows[f"{method}: conv"].published == figure
        assert rows[f"{method}: Y"].verdict == "reproduced"
    assert rows["supervised: its own accuracy"].published == 42.27
    assert all(claim.holds for claim in report.claims if claim.published)
    texts = [claim.text for claim in report.claims if claim.published]
    assert "VAE is above DIM(G) on Y" in texts
    assert "falls short" in EXPERIMENTS["table1-cifar100"].place("VAE is above DIM(G) on Y")
    row = EXPERIMENTS["table1-cifar100"].report(*results("table1-cifar100", "cpu", found)).rows[-1]
    assert row.why.startswith("10000 images, ")
    assert UNJUDGED not in report.notes  # of CIFAR-10
    assert UNJUDGED in EXPERIMENTS["table1"].report(*results("table1", "cpu", found)).notes


def test_table_4_has_the_columns_of_cifar_100() -> None:
    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        curves = {f"curve_{name}": [1.0, 0.5] for name in ("local", "absolute_coordinates", "relative_coordinates")}
        return {**curves, **dict.fromkeys(("conv", "fc", "Y"), 0.4)}

    rows = EXPERIMENTS["table4-cifar100"].report(*results("table4-cifar100", "full", found)).rows
    figures = {row.what: row.published for row in rows}
    assert figures["DIM: Y"] == 44.27
    assert figures["DIM + coordinates: fc"] == 48.61
    assert figures["DIM + occlusion: conv"] == 48.87
    assert figures["DIM + both: Y"] == 45.96
    # The baseline differs from its row in Table 1, so a figure that is far from Table 4 contradicts no known settings.
    assert {row.verdict for row in rows if row.what == "DIM: Y"} == {"settings unknown"}


def test_the_layer_of_the_map_and_positives_are_judged_on_y() -> None:
    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        y = {"dim-l": 0.5, "dim-g": 0.3}[arguments["method"]]
        changed = {"dim-l": 0.03, "dim-g": 0.005}[arguments["method"]] * bool(arguments["options"])
        return dict.fromkeys(("conv", "fc", "Y"), y - changed + 0.001 * arguments["seed"])

    experiment = EXPERIMENTS["choices"]

    def claims(found: Any) -> list[Claim]:
        report = experiment.report(*results("choices", "cpu", found))
        return [*report.claims, *experiment.further(figures_of(report.rows))]

    assert [claim.holds for claim in claims(found)] == [True] * 3
    assert all(experiment.place(claim.text) for claim in claims(found))
    turned = claims(lambda a: {k: 1 - (v if a["method"] == "dim-l" else 20 * v) for k, v in found(a).items()})
    assert [claim.holds for claim in turned] == [False] * 3


def test_every_prior_is_trained_and_judged_against_the_uniform_one() -> None:
    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        best = arguments["options"]["prior"] == "uniform"
        return dict.fromkeys(("conv", "fc", "Y"), 0.4 + 0.1 * best + 0.01 * arguments["seed"])

    report = EXPERIMENTS["priors"].report(*results("priors", "cpu", found))
    assert [claim.holds for claim in report.claims] == [True] * 3
    worse = EXPERIMENTS["priors"].report(*results("priors", "cpu", lambda a: {k: 1 - v for k, v in found(a).items()}))
    assert [claim.holds for claim in worse.claims] == [False] * 3
