"""Table 2: the readers of STL-10 and Tiny ImageNet, random crops, the semi-supervised column and the claims."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infoflow_reproductions import Results
from infoflow_reproductions.deep_infomax import EXPERIMENTS
from infoflow_reproductions.deep_infomax.columns import STL10, TINY_IMAGENET
from infoflow_reproductions.deep_infomax.sets import cropped, sets
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.deep_infomax.stl10 import stl10
from infoflow_reproductions.deep_infomax.tiny_imagenet import tiny_imagenet

from infoflow.core.errors import BrokenStore, MissingData


def test_stl10_is_read_column_by_column(tmp_path: Path) -> None:
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    stl10.cache_clear()
    with pytest.raises(MissingData, match=r"no train_X\.bin"):
        stl10(tmp_path)
    pixels = np.arange(3 * 96 * 96, dtype=np.uint64).astype(np.uint8)
    for name in ("train", "test"):
        pixels.tofile(folder / f"{name}_X.bin")
        np.array([10], np.uint8).tofile(folder / f"{name}_y.bin")
    np.concatenate([pixels, 255 - pixels]).tofile(folder / "unlabeled_X.bin")
    (x, y), _, unlabeled = stl10(tmp_path)
    assert x.shape == (1, 3, 96, 96)
    assert y.tolist() == [9]
    # Column by column: pixel (row, column) of the first channel is at column · 96 + row.
    assert int(x[0, 0, 5, 7]) == int(pixels[7 * 96 + 5])
    assert torch.equal(unlabeled[0], x[0])
    found = sets(Learning("stl10", images=2), tmp_path)
    assert found.train[0].shape == found.test[0].shape == (1, 3, 64, 64)
    assert int(found.train[0][0, 0, 5, 7]) == int(pixels[(16 + 7) * 96 + 16 + 5])
    assert found.uncut is not None
    assert torch.equal(found.uncut, torch.cat([x, unlabeled[:1]]))
    stl10.cache_clear()


def test_tiny_imagenet_is_read_from_its_folders(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "tiny-imagenet-200"
    (folder / "val" / "images").mkdir(parents=True)
    tiny_imagenet.cache_clear()
    with pytest.raises(MissingData, match=r"no wnids\.txt"):
        tiny_imagenet(tmp_path)
    names = ("n02", "n01")
    (folder / "wnids.txt").write_text("\n".join(names))
    for name, level in zip(names, (40, 200), strict=True):
        (folder / "train" / name / "images").mkdir(parents=True)
        for number in range(2):
            picture = image.new("RGB" if number else "L", (64, 64), (level,) * 3 if number else level)
            picture.save(folder / "train" / name / "images" / f"{name}_{number}.JPEG")
    image.new("RGB", (64, 64), (0, 120, 250)).save(folder / "val" / "images" / "val_0.JPEG", quality=95)
    (folder / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn01\t0\t0\t63\t63\n")
    (x, y), (x_test, y_test) = tiny_imagenet(tmp_path)
    assert x.shape == (4, 3, 64, 64)
    assert y.tolist() == [0, 0, 1, 1]  # the lines of wnids.txt
    assert x[:, 0, 0, 0].tolist() == [40, 40, 200, 200]
    assert y_test.tolist() == [1]
    assert (x_test[0, :, 9, 9].float() - torch.tensor([0.0, 120.0, 250.0])).abs().max() < 8
    tiny_imagenet.cache_clear()
    (folder / "val" / "images" / "val_0.JPEG").write_bytes(b"no image")
    with pytest.raises(BrokenStore, match=r"val_0\.JPEG cannot be read"):
        tiny_imagenet(tmp_path)


def test_crops_are_parts_of_their_images_and_half_are_mirrored() -> None:
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    x = torch.stack([rows, columns, rows]).to(torch.uint8).expand(400, -1, -1, -1)
    found = cropped(x, torch.Generator().manual_seed(0)).long()
    assert found.shape == (400, 3, 64, 64)
    top = found[:, 0, 0, 0]
    assert torch.equal(found[:, 0], (top[:, None, None] + torch.arange(64)[None, :, None]).expand(-1, -1, 64))
    steps = found[:, 1, 0].diff(dim=1)
    assert set(steps.unique().tolist()) == {-1, 1}
    assert bool((steps == steps[:, :1]).all())
    assert 0.4 < float((steps[:, 0] < 0).float().mean()) < 0.6
    assert set(top.tolist()) == set(range(33))  # 96 − 64 + 1 places


def results(name: str, scale: str, found: Any) -> tuple[Any, Results]:
    recipe = EXPERIMENTS[name].recipe(scale)
    trials = EXPERIMENTS[name].trials(recipe)
    return recipe, Results(trials, {trial.name: found(trial.arguments) for trial in trials})


PUBLISHED = {  # Table 2, Y of Tiny ImageNet, Y and SS of STL-10
    "vae": (11.93, 46.47, 68.65),
    "aae": (11.49, 43.89, 64.15),
    "bigan": (13.06, 58.48, 74.77),
    "nat": (1.20, 48.84, 70.75),
    "dim-g": (4.95, 28.09, 51.36),
    "dim-l": (31.66, 65.93, 76.96),
    "dim-l-nce": (33.33, 67.08, 76.81),
}


def test_figures_and_claims_are_those_of_table_2() -> None:
    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        tiny, y, fine = (v / 100 for v in PUBLISHED.get(arguments["method"], (0.005, 0.1, 0.1)))
        at = tiny if arguments["data"] == "tiny-imagenet" else y
        noise = 1e-4 * arguments["seed"]
        return {"conv": at, "fc": at, "Y": at + noise, "SS": fine + noise, "accuracy": 0.366}

    tiny = EXPERIMENTS["table2"].report(*results("table2", "full", found))
    stl = EXPERIMENTS["table2-stl10"].report(*results("table2-stl10", "full", found))
    for report, layers in ((tiny, ("Y",)), (stl, ("Y", "SS"))):
        rows = {row.what: row for row in report.rows}
        assert {rows[f"{m}: {layer}"].verdict for m in ("VAE", "BiGAN", "DIM(L) JSD") for layer in layers} == {
            "reproduced"
        }
        assert all(claim.holds for claim in report.claims)
    assert len(stl.claims) == len(tiny.claims) + 5
    assert "SS" not in {row.what.partition(": ")[2] for row in tiny.rows}
    reduced = EXPERIMENTS["table2"].report(*results("table2", "cpu", found))
    assert all(row.published is None for row in reduced.rows)  # other images, to which no figure belongs


def test_settings_are_those_of_section_4_and_appendix_a_1() -> None:
    """200 epochs and the AlexNet-like encoder; 100000 unlabeled and 500 labeled images of each of ten classes."""
    for full in (TINY_IMAGENET.full, STL10.full):
        assert (full.epochs, full.learning_rate, full.size.architecture) == (200, 1e-4, "alexnet")
    assert (STL10.full.images, STL10.full.labeled) == (105_000, 5000)
    assert TINY_IMAGENET.full.images == 100_000
