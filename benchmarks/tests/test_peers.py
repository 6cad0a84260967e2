"""Estimators of other packages: plausible results, errors for unsupported data, and a log of missing packages."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from infoflow_benchmarks import peers
from infoflow_benchmarks.accuracy import run

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.tasks import bivariate, find

INSTALLED = [name for name, peer in peers.PEERS.items() if peer.installed()]


def test_scikit_learn_runs_in_the_same_table(tmp_path: Path) -> None:
    table = run(
        ["ksg", "scikit-learn"], ["1v1-normal-0.75", "student-identity-2-2-2"], sizes=[1000], output=tmp_path
    ).set_index(["task", "estimator"])
    assert table.loc[("1v1-normal-0.75", "scikit-learn"), "nats"] == pytest.approx(0.413, abs=0.1)
    assert "one column" in str(table.loc[("student-identity-2-2-2", "scikit-learn"), "failure"])


def test_packages_that_are_not_installed_are_left_out_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(peers.TorchMist, "package", "no_such_package")
    with caplog.at_level(logging.WARNING, logger="infoflow_benchmarks"):
        table = run(["gaussian", "torch-mist:estimator=nwj"], ["1v1-normal-0.75"], sizes=[100], output=tmp_path)
    assert set(table["estimator"]) == {"gaussian"}
    assert "torch-mist:estimator=nwj is left out" in caplog.text
    with pytest.raises(InvalidArgument, match="^estimators must be"):
        run(["torch-mist"], ["1v1-normal-0.75"], sizes=[100], output=tmp_path)


@pytest.mark.parametrize("name", INSTALLED)
def test_installed_packages_estimate_and_restore_the_random_state(name: str) -> None:
    x, y = bivariate(0.75).sample(600, 0)  # benchmark-mi trains on half of them, in batches of 256
    torch_before, numpy_before = torch.get_rng_state(), str(np.random.get_state())  # noqa: NPY002
    found = peers.parse(name).estimate(x, y)
    assert 0.1 < found.nats < 0.8
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert str(np.random.get_state()) == numpy_before  # noqa: NPY002


@dataclass(frozen=True)
class Broken(peers.Peer):
    """A package that raises its own exception, or returns no number."""

    package = "numpy"
    nan: bool = False

    def _nats(self, x: np.ndarray, y: np.ndarray) -> float:
        if self.nan:
            return float("nan")
        raise KeyError("theirs")


@pytest.mark.parametrize(("nan", "reason"), [(False, "failed with KeyError: 'theirs'"), (True, "returned nan")])
def test_samples_without_a_number_are_failures_of_the_cell(nan: bool, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{peers.NO_ESTIMATE}: Broken {reason}"):
        Broken(nan).estimate(*bivariate(0.75).sample(50, 0))


def test_benchmark_mi_refuses_an_estimator_that_it_does_not_have() -> None:
    if not peers.BenchmarkMI.installed():
        pytest.skip("benchmark-mi is not installed")
    with pytest.raises(UnknownName, match="Did you mean 'InfoNCEEstimator'"):
        peers.BenchmarkMI("InfoNCEEstimater").estimate(*bivariate(0.75).sample(50, 0))


def test_invalid_arguments() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'n_neighbors'"):
        peers.parse("scikit-learn:neighbors=3")
    with pytest.raises(UnknownName, match="Did you mean 'gaussian'"):
        peers.parse("gausian")
    with pytest.raises(InvalidArgument, match="held_out"):
        peers.TorchMist(held_out=1.0)
    x, y = find("uniform-on-class-5").sample(100, 0)
    with pytest.raises(InvalidArgument, match="continuous"):
        peers.ScikitLearn().estimate(x, y)
    with pytest.raises(InvalidArgument, match="same number of samples"):
        peers.ScikitLearn().estimate(np.zeros(50) + np.arange(50.0), np.arange(40.0))
