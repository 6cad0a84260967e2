"""Distributions with known information: their truths, the rule of silently wrong cells, and the default's coverage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from infoflow_benchmarks.distributions import DISTRIBUTIONS, FAMILIES
from infoflow_benchmarks.distributions.quadrature import of_both_rounded
from infoflow_benchmarks.reliability import by_cell, by_family, run
from scipy.stats import multivariate_normal, multivariate_t, norm

from infoflow.cli import main
from infoflow.core.errors import InvalidArgument, MissingData, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators import registry

KNOWN = {distribution.name: distribution for distribution in DISTRIBUTIONS}
N = 200_000


def _student(nu: float, d: int, r: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    shape = np.block([[np.eye(d), r * np.eye(d)], [r * np.eye(d), np.eye(d)]])
    return lambda x, y: (
        multivariate_t(shape=shape, df=nu).logpdf(np.column_stack([x, y]))
        - multivariate_t(shape=np.eye(d), df=nu).logpdf(x.reshape(-1, d))
        - multivariate_t(shape=np.eye(d), df=nu).logpdf(y.reshape(-1, d))
    )


def _clayton(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.log(3) - 3 * (np.log(u) + np.log(v)) - 2.5 * np.log(u**-2.0 + v**-2.0 - 1)


def _factor(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    one = 4 * np.eye(20) + 1
    both = np.block([[one, np.ones((20, 20))], [np.ones((20, 20)), one]])
    parts = multivariate_normal(cov=one).logpdf(x) + multivariate_normal(cov=one).logpdf(y)
    return multivariate_normal(cov=both).logpdf(np.column_stack([x, y])) - parts


def _labels(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    means, weights = np.arange(0, 10, 2), np.array([16, 8, 4, 2, 1]) / 31
    return norm.logpdf(x, means[y]) - np.log(norm.pdf(x[:, None], means) @ weights)


def _gamma(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Y is exponential with rate X ~ Γ(3, 1), so that its density is 3 / (1 + y)⁴.
    return np.log(x) - x * y - np.log(3) + 4 * np.log1p(y)


@pytest.mark.parametrize(
    ("name", "log_ratio"),
    [
        ("student nu=1 1x1 r=0", _student(1, 1, 0.0)),
        ("student nu=3 3x3 r=0.7", _student(3, 3, 0.7)),
        ("clayton copula t=2", _clayton),
        ("one factor behind 20+20", _factor),
        ("label: 5 classes, halving, spacing 2", _labels),
        ("gamma-exponential shape=3", _gamma),
    ],
)
def test_truths_are_means_of_the_log_density_ratio(
    name: str, log_ratio: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> None:
    ratios = log_ratio(*KNOWN[name].sample(N, 3))
    assert KNOWN[name].mutual_information == pytest.approx(ratios.mean(), abs=5 * ratios.std() / N**0.5)


@pytest.mark.parametrize(
    ("name", "bins"), [("discrete ints ring of 12", 12), ("gauss r=0.8 rounded to 0.25, as int", 60)]
)
def test_truths_of_tables_are_those_of_counts(name: str, bins: int) -> None:
    counts = np.unique(np.column_stack(KNOWN[name].sample(N, 3)), axis=0, return_counts=True)
    joint = pd.DataFrame(counts[0], columns=["x", "y"]).assign(p=counts[1] / N).pivot_table("p", "x", "y", fill_value=0)
    p = joint.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = np.nansum(p * np.log(p / (p.sum(1, keepdims=True) * p.sum(0))))
    assert KNOWN[name].mutual_information == pytest.approx(nats, abs=bins**2 / (2 * N) + 0.006)


def test_fine_rounding_loses_nothing() -> None:
    assert of_both_rounded(0.5, 0.1) == pytest.approx(-0.5 * np.log(0.75), abs=3e-4)


def test_names_differ_and_samples_repeat() -> None:
    assert len(KNOWN) == len(DISTRIBUTIONS)
    for distribution in DISTRIBUTIONS:
        for first, second in zip(distribution.sample(30, 1), distribution.sample(30, 1), strict=True):
            assert len(first) == 30
            np.testing.assert_array_equal(first, second)


def _rows(task: str, estimator: str, truth: float, *draws: dict[str, object]) -> list[dict[str, object]]:
    same = {"family": "shapes", "task": task, "n": 50, "estimator": estimator, "truth": truth, "cpu_seconds": 1.0}
    plain = {"kind": "point estimate", "saturated": False, "warnings": "", "failure": "", "low": np.nan, "high": np.nan}
    return [
        {**same, **plain, "seed": i, "error": float(str(draw["nats"])) - truth, **draw} for i, draw in enumerate(draws)
    ]


def test_the_rule_on_a_table_made_by_hand() -> None:
    wrong, warned = {"nats": 0.5, "low": 0.4, "high": 0.6}, {"nats": 0.5, "warnings": "few samples"}
    rows = [
        *_rows("off", "auto", 1.0, wrong, wrong),
        *_rows("off", "ksg", 1.0, {"nats": 0.95}, {"nats": 1.05}),
        *_rows("off, one warned", "auto", 1.0, wrong, warned),
        *_rows("off, all limited", "auto", 1.0, warned, {"nats": 0.5, "saturated": True}),
        *_rows("bound below", "auto", 1.0, {**wrong, "kind": "lower bound"}),
        *_rows("bound above", "auto", 1.0, {**wrong, "nats": 1.5, "kind": "lower bound"}),
        *_rows("within 10 %", "auto", 1.0, {"nats": 1.09, "low": 1.0, "high": 1.2}),
        *_rows("infinite", "auto", np.inf, {"nats": np.inf, "error": np.nan}),
        *_rows("infinite", "ksg", np.inf, {"nats": 4.0}),
        *_rows("refused", "auto", 1.0, {"nats": np.nan}),
        *_rows(
            "independent", "auto", 0.0, *2 * [{"nats": 0.0, "low": -0.1, "high": 0.1, "warnings": "0 is not excluded"}]
        ),
        *_rows("independent", "auto", 0.0, {"nats": 0.04, "low": 0.01, "high": 0.1}),
    ]
    cells = by_cell(pd.DataFrame(rows))
    assert cells.loc[0, ["task", "estimator", "best"]].tolist() == ["off", "auto", "ksg"]
    assert cells["behind"][0] == pytest.approx(0.45)
    wrong_cells = cells[cells["silently_wrong"]]
    assert sorted(zip(wrong_cells["task"], wrong_cells["estimator"], strict=True)) == [
        ("bound above", "auto"),
        ("infinite", "ksg"),
        ("off", "auto"),
        ("off, one warned", "auto"),
    ]
    covered = cells.set_index(["task", "estimator"])["covered"]
    assert covered["off, one warned", "auto"] == 0.0
    assert covered["within 10 %", "auto"] == 1.0
    assert np.isnan(covered["bound below", "auto"])
    assert covered["independent", "auto"] == pytest.approx(2 / 3)
    summary = by_family(cells).set_index(["family", "estimator"])
    assert summary.loc[("shapes", "auto"), "cells"] == 8
    assert summary.loc[("all", "auto"), "silently_wrong"] == pytest.approx(3 / 8)
    assert summary.loc[("all", "auto"), "mean_absolute_error"] == pytest.approx((5 * 0.5 + 0.09 + 0.04 / 3) / 7)
    assert summary.loc[("all", "auto"), "covered"] == pytest.approx(3 / 7)  # of 2, 1, 1 and 3 judged intervals


def test_the_command_writes_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--families", "gaussian", "deterministic", "--sizes", "60", "80", "--seeds", "2", "1", "--quiet"]
    estimators = ["--estimators", "ksg", "scikit-learn"]
    assert main(["bench", "distributions", *options, *estimators, "--output", str(tmp_path)]) == 0
    assert f"Written to {tmp_path}: cells.csv, families.csv, README.md" in capsys.readouterr().out
    cells = pd.read_csv(tmp_path / "cells.csv")
    assert set(cells.groupby("n")["draws"].max()) == {1, 2}
    assert "| gaussian | 60 | ksg |" in (tmp_path / "README.md").read_text()
    assert (tmp_path / "distributions-n80.png").read_bytes().startswith(b"\x89PNG")


def test_cells_without_an_estimate_are_kept_apart() -> None:
    stopped = {"nats": np.nan, "cpu_seconds": np.nan, "failure": "No estimate: more than 60 CPU seconds."}
    rows = [
        *_rows("slow", "auto", 1.0, {"nats": 0.9, "warnings": "few samples"}),
        *_rows("slow", "torch-mist", 1.0, stopped),
        *_rows("half", "auto", 1.0, {"nats": 0.5, "warnings": "few samples"}, stopped),
        *_rows("refused", "auto", 1.0, {"nats": np.nan, "failure": "x must be one column, got 2 columns."}),
    ]
    cells = by_cell(pd.DataFrame(rows)).set_index(["task", "estimator"])
    assert cells["draws"].to_dict() == {("slow", "auto"): 1, ("slow", "torch-mist"): 0, ("half", "auto"): 1}
    assert cells["failure"].map(bool).sum() == 2
    assert not cells["silently_wrong"].any()
    assert cells["best"].isna().all()
    assert by_family(cells.reset_index())["cells"].tolist() == [2, 2]


def test_a_run_keeps_the_cells_of_an_earlier_one(tmp_path: Path) -> None:
    first = run(["ksg"], ["gaussian"], output=tmp_path, sizes=[60], draws=[2])
    table = pd.read_csv(tmp_path / "cells.csv").drop(columns=["version", "failure"])
    table.to_csv(tmp_path / "cells.csv", index=False)
    second = run(["mixed"], ["gaussian"], output=tmp_path, sizes=[60, 80], draws=[1, 1], merge=True)
    kept = second[second["estimator"] == "ksg"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept.drop(columns="version", errors="ignore"), first, rtol=1e-3)
    cells = pd.read_csv(tmp_path / "cells.csv")
    assert set(cells.loc[cells["estimator"] == "ksg", "version"]) == {"of an unrecorded version"}
    assert cells.groupby("estimator").size().to_dict() == {"ksg": 4, "mixed": 8}
    text = (tmp_path / "README.md").read_text()
    assert "Not measured at n = 80: `ksg`." in text
    assert "Measured by infoflow of an unrecorded version: `ksg` (n = 60)." in text
    again = run(["mixed"], ["gaussian"], output=tmp_path, sizes=[60], draws=[1], merge=True)
    pd.testing.assert_frame_equal(again, second, rtol=1e-3)


def test_there_must_be_cells_to_keep(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="Run without merge"):
        run(["ksg"], ["gaussian"], output=tmp_path, merge=True)


def test_the_page_lists_estimates_that_ran_out_of_time(tmp_path: Path) -> None:
    run(["auto"], output=tmp_path, distributions=["gauss d=5 r=0.5"], sizes=[1000], draws=[1], limit=0.01)
    text = (tmp_path / "README.md").read_text()
    assert "| auto | gauss d=5 r=0.5 | 1000 | No estimate: more than 0.01 CPU seconds. |" in text


def test_invalid_arguments(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'latents'"):
        run(["ksg"], ["latent"], output=tmp_path)
    with pytest.raises(InvalidArgument, match="as many numbers as sizes"):
        run(["ksg"], output=tmp_path, sizes=[50], draws=[1, 2])


@pytest.mark.slow
@pytest.mark.parametrize("family", [each for each in FAMILIES if each not in ("latents", "autocorrelated")])
def test_intervals_of_unwarned_point_estimates_hold(family: str) -> None:
    auto, held = registry.create("auto"), []
    for distribution in DISTRIBUTIONS:
        if distribution.family != family:
            continue
        for seed in range(20):
            found = auto.estimate(*distribution.sample(200, seed))
            if found.kind is Kind.POINT and not found.warnings and found.interval is not None:
                held.append(distribution.mutual_information in found.interval)
    assert 0.85 <= np.mean(held) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("family", ["latents", "autocorrelated"])
def test_estimates_of_series_and_of_latent_dimensions_are_bounds_or_carry_a_warning(family: str) -> None:
    auto = registry.create("auto")
    for distribution in DISTRIBUTIONS:
        if distribution.family == family:
            for seed in range(3):
                found = auto.estimate(*distribution.sample(200, seed))
                assert found.warnings or found.kind is Kind.LOWER_BOUND
