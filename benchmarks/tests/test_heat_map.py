"""The heat map: colors, readable names, and no file where the arguments are invalid."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from infoflow_benchmarks.heat_map import draw, heading, title

from infoflow import tasks
from infoflow.core.errors import InvalidArgument


def table(estimators: int, errors: tuple[float, ...] = (0.0,)) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "task": task.name,
                "truth": 1.0,
                "estimator": f"e{e}",
                "n": 100,
                "seed": 0,
                "error": errors[i % len(errors)],
            }
            for i, task in enumerate(tasks.BEYOND_NORMAL)
            for e in range(estimators)
        ]
    )


def test_titles_are_readable_and_unique() -> None:
    titles = [title(task.name) for task in tasks.BEYOND_NORMAL]
    assert len(set(titles)) == 40
    assert max(map(len, titles)) < 40
    assert title("1v1-normal-0.75") == "Normal 1×1"
    assert title("swissroll_x-normal_cdf-1v1-normal-0.75") == "Normal 1×1 · Φ · Swiss roll"
    assert title("cross-0.95") == "cross-0.95"
    assert heading("ksg:k=5,variant=2") == "ksg, k 5, variant 2"


def test_overestimates_are_red_underestimates_blue_and_settings_unchanged(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    pictures = {}
    for error in (0.8, -0.8, 0.0):
        draw(table(3, (error,)), tmp_path / "map.png")
        pictures[error] = matplotlib.image.imread(tmp_path / "map.png")[..., :3]
    assert dict(matplotlib.rcParams) == before
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]
    red, blue = (pictures[0.8] - pictures[0.0]).mean(axis=(0, 1)), (pictures[-0.8] - pictures[0.0]).mean(axis=(0, 1))
    assert red[0] > red[2]  # the text is the same, so only the cells differ
    assert blue[2] > blue[0]


def test_missing_estimates_and_wide_tables_are_drawn(tmp_path: Path) -> None:
    draw(table(12, (0.3, np.nan, -2.0)), tmp_path / "wide.pdf")
    draw(table(1, (np.nan,)), tmp_path / "none.svg")
    assert (tmp_path / "wide.pdf").read_bytes().startswith(b"%PDF")
    assert b"<svg" in (tmp_path / "none.svg").read_bytes()[:2000]


def test_invalid_arguments_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="^table must be"):
        draw(table(1)[:0], tmp_path / "map.png")
    with pytest.raises(InvalidArgument, match="2 sample sizes"):
        draw(pd.concat([table(1), table(1).assign(n=7)]), tmp_path / "map.png")
    with pytest.raises(InvalidArgument, match="^path must be"):
        draw(table(1), tmp_path / "map.doc")
    assert list(tmp_path.iterdir()) == []


def test_long_names_stay_inside_the_picture(tmp_path: Path) -> None:
    long = "a distribution with a name that takes more than fifty letters"
    rows = [
        {
            "task": f"{long} {i}",
            "truth": 1.0,
            "estimator": f"neural:critic={long} {e}",
            "n": 100,
            "seed": 0,
            "error": 0.1,
        }
        for i in range(3)
        for e in range(2)
    ]
    draw(pd.DataFrame(rows), tmp_path / "map.png")
    picture = matplotlib.image.imread(tmp_path / "map.png")[..., :3]
    for border in (picture[:4], picture[-4:], picture[:, :4], picture[:, -4:]):
        assert (border == 1.0).all()
    # Outermost rows and columns of text leave few white ones around them, so that the test would see a cut.
    assert (picture.min(axis=(0, 2)) < 0.5).nonzero()[0][0] < 100
