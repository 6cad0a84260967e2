"""An analysis on other workers, on a cluster, and with workers lost in its middle: the same table each time."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
import torch
from torch import nn

from infoflow.core.estimate import LayerInformation
from infoflow.estimators import Binning
from infoflow.plane import analyse, record

EPOCHS = 6


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tanh = nn.Tanh()
        self.factor = 0.1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.tanh(self.factor * x)


@pytest.fixture
def store(tmp_path: Path) -> str:
    model = Scaled()
    x = torch.linspace(-1, 1, 64)[:, None]
    with record(model, x, torch.arange(64) // 32, store=tmp_path / "run") as recorder:
        for epoch in range(EPOCHS):
            model.factor = 0.1 + epoch
            recorder.snapshot(epoch)
    return str(tmp_path / "run")


@dataclass(frozen=True)
class Deadly:
    """Binning, whose first worker to come to `epoch` is killed (`times` so often), as if for its memory."""

    folder: str
    times: int = 1
    width: float = 0.5

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        if abs(float(abs(t).max()) - float(torch.tanh(torch.tensor(3.1)))) < 1e-6:
            for number in range(self.times):
                try:
                    Path(self.folder, f"killed{number}").touch(exist_ok=False)
                except FileExistsError:
                    continue
                time.sleep(0.3)
                os.kill(os.getpid(), signal.SIGKILL)
        return Binning(width=self.width).measure(t, y, x)


def table(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=["estimator"])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_lost_worker_does_not_change_the_table(store: str, tmp_path: Path) -> None:
    alone = analyse(store, [Binning(width=0.5)])
    lost = analyse(store, [Deadly(str(tmp_path))], n_jobs=2)
    assert (tmp_path / "killed0").exists()
    pd.testing.assert_frame_equal(table(alone.frame), table(lost.frame))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_an_analysis_that_keeps_losing_workers_stops_and_resumes_from_its_cache(store: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(Exception, match="worker") as caught:
        analyse(store, [Deadly(str(tmp_path), times=9)], n_jobs=2, cache=cache)
    assert any("cache=" in note for note in caught.value.__notes__)
    assert len(list(cache.glob("*.table"))) == EPOCHS - 1
    for number in range(9):
        (tmp_path / f"killed{number}").touch()
    resumed = analyse(store, [Deadly(str(tmp_path), times=9)], n_jobs=2, cache=cache)
    pd.testing.assert_frame_equal(table(analyse(store, [Binning(width=0.5)]).frame), table(resumed.frame))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="Dask (infoflow[dask]) is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.mark.filterwarnings("default")  # Dask's own
def test_a_dask_cluster_runs_an_analysis_as_it_is(store: str, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(store).parent)
    with joblib.parallel_config("dask", wait_for_workers_timeout=60):
        there = analyse("run", [Binning(width=0.5), "kernel-density"], cache="parts")
    here = analyse(store, [Binning(width=0.5), "kernel-density"])
    pd.testing.assert_frame_equal(there.frame, here.frame)
    seen = cluster.run(lambda: os.getpid())
    assert os.getpid() not in seen.values()
    assert len(list(Path("parts").glob("*.table"))) == 2 * EPOCHS


@pytest.mark.filterwarnings("default")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_lost_dask_worker_does_not_change_the_table(store: str, cluster: Any, tmp_path: Path) -> None:
    with joblib.parallel_config("dask", wait_for_workers_timeout=60):
        lost = analyse(store, [Deadly(str(tmp_path))])
    assert (tmp_path / "killed0").exists()
    pd.testing.assert_frame_equal(table(analyse(store, [Binning(width=0.5)]).frame), table(lost.frame))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own
def test_ray_runs_an_analysis_as_it_is(store: str) -> None:
    ray = pytest.importorskip("ray", reason="Ray (infoflow[ray]) is not installed")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}})
    try:
        register_ray()
        with joblib.parallel_config("ray"):
            there = analyse(store, [Binning(width=0.5), "kernel-density"])
    finally:
        ray.shutdown()
    pd.testing.assert_frame_equal(there.frame, analyse(store, [Binning(width=0.5), "kernel-density"]).frame)
