"""The loop: what it learns, that members don't meet, and that an interrupted run ends as if it hadn't been."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import BrokenStore, DidNotConverge, InvalidArgument, UnknownName
from infoflow.data import szt
from infoflow.models import MLP, stack, unstack
from infoflow.training import Training, classifier, snapshot_epochs, train

SETTINGS = [
    Training(epochs=4, batch_size=48, learning_rate=3e-3),
    Training(epochs=4, batch_size=48, learning_rate=3e-3, shuffle=False, weight_decay=0.01),
    Training(epochs=4, batch_size=48, optimizer="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.01),
]


def data(n: int = 200, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    x, y = szt().tensors()
    chosen = torch.from_numpy(np.random.default_rng(0).permutation(4096)[:n])
    return x[chosen].to(dtype), y[chosen]


def networks(seeds: list[int], dtype: torch.dtype = torch.float64) -> list[MLP]:
    return [MLP([12, 6, 4, 2], "tanh", seed=seed, dtype=dtype) for seed in seeds]


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def textbook(network: nn.Module, x: Tensor, y: Tensor, settings: Training, seed: int) -> None:
    """The loop as anybody writes it, with torch's unfused optimizers."""
    options: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay, "foreach": False}
    if settings.optimizer == "adam":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(network.parameters(), **options)
    else:
        optimizer = torch.optim.SGD(network.parameters(), momentum=settings.momentum, **options)
    for epoch in range(1, settings.epochs + 1):
        order = np.random.default_rng((seed, epoch)).permutation(len(x)) if settings.shuffle else np.arange(len(x))
        for start in range(0, len(x), settings.batch_size):
            batch = torch.from_numpy(order[start : start + settings.batch_size])
            optimizer.zero_grad()
            nn.CrossEntropyLoss()(network(x[batch]), y[batch]).backward()
            optimizer.step()


@pytest.mark.parametrize("settings", SETTINGS)
def test_plain_and_stacked_runs_equal_the_textbook_loop(settings: Training) -> None:
    x, y = data()
    seeds = [3, 0, 8]
    stacked = stack(networks(seeds))
    train(stacked, (x, y), settings, seeds=seeds)
    for place, seed in enumerate(seeds):
        plain, expected = networks([seed])[0], networks([seed])[0]
        textbook(expected, x, y, settings, seed)
        train(plain, (x, y), settings, seeds=[seed])
        for p, q, e in zip(
            plain.parameters(), unstack(stacked, place).parameters(), expected.parameters(), strict=True
        ):
            torch.testing.assert_close(p, e, rtol=0, atol=1e-11)
            torch.testing.assert_close(q, e, rtol=0, atol=1e-11)


def test_a_member_goes_its_way_whatever_runs_beside_it() -> None:
    settings = SETTINGS[0]
    pair, three = stack(networks([3, 1])), stack(networks([7, 3, 5]))
    train(pair, data(), settings, seeds=[3, 1])
    train(three, data(), settings, seeds=[7, 3, 5])
    for p, q in zip(unstack(pair, 0).parameters(), unstack(three, 1).parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-11)


def test_it_learns_szt() -> None:
    stacked = stack([MLP([12, 10, 7, 2], "tanh", initialization="idnns", seed=seed) for seed in range(3)])
    history = train(
        stacked, szt().tensors(), Training(epochs=60, batch_size=256, learning_rate=5e-3), snapshots=[0, 60]
    )
    assert max(history[0]["train_accuracy"]) < 0.7
    assert min(history[60]["train_accuracy"]) > 0.9
    assert max(history[60]["train_loss"]) < min(history[0]["train_loss"])


def test_metrics_are_the_mean_loss_in_nats_and_the_accuracy_of_each_member(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "_EVALUATION_BATCH", 64)  # 200 = 64·3 + 8
    x, y = data()
    members = networks([0, 1])
    history = train(
        stack(members), (x, y), Training(epochs=1), snapshots=[0], evaluate={"all": (x, y), "few": (x[:30], y[:30])}
    )
    assert list(history) == [0]
    for name, n in (("all", 200), ("few", 30)):
        for r, member in enumerate(members):
            p = member(x[:n]).softmax(1).detach().numpy()
            right = p[np.arange(n), y[:n].numpy()]
            assert history[0][f"{name}_loss"][r] == pytest.approx(-np.log(right).mean(), abs=1e-12)
            assert history[0][f"{name}_accuracy"][r] == pytest.approx((p.argmax(1) == y[:n].numpy()).mean())


def test_snapshots_are_of_the_epochs_asked_and_epoch_0_is_before_training() -> None:
    network = networks([0])[0]
    start = copy.deepcopy(network)
    seen: list[tuple[int, nn.Module]] = []
    train(
        network,
        data(),
        Training(epochs=5),
        snapshots=[3, 0, 5],
        on_snapshot=lambda e, n, _: seen.append((e, copy.deepcopy(n))),
    )
    assert [epoch for epoch, _ in seen] == [0, 3, 5]
    assert same(seen[0][1], start)
    after_three = copy.deepcopy(start)
    train(after_three, data(), Training(epochs=3))
    assert same(seen[1][1], after_three)


@pytest.mark.parametrize(("epochs", "count"), [(1, 2), (7, 5), (8000, 60), (100, 500)])
def test_the_schedule_is_sorted_without_repeats_and_has_both_ends(epochs: int, count: int) -> None:
    schedule = snapshot_epochs(epochs, count)
    assert schedule == sorted(set(schedule))
    assert (schedule[0], schedule[-1]) == (0, epochs)
    assert len(schedule) <= count
    gaps = np.diff(np.log(schedule[-5:])) if epochs > 1000 else np.ones(1)
    assert np.ptp(gaps) < 0.01


class Noisy(nn.Module):
    """Draws from the global random state, in evaluation too, keeps a buffer, and sees in which mode it is."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 2))
        self.modes: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        self.modes.append(self.training)
        out: Tensor = self.body(x)
        return out + 0 * torch.rand_like(out)


def noisy() -> Noisy:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Noisy()


def test_flags_global_random_state_and_threads_are_as_they_were() -> None:
    network = noisy().eval()
    network.body[1].train()
    flags = [module.training for module in network.modules()]
    state, numpy_state, threads = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()  # noqa: NPY002
    train(network, data(dtype=torch.float32), Training(epochs=2), snapshots=[0, 1, 2])
    assert [module.training for module in network.modules()] == flags
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002
    assert torch.get_num_threads() == threads
    # A look at the shapes, three evaluations, and one batch in each of two epochs.
    assert network.modes == [False, False, True, False, True, False]


def test_evaluation_leaves_buffers_alone() -> None:
    often, never = noisy(), noisy()
    train(often, data(dtype=torch.float32), Training(epochs=3, batch_size=64), snapshots=[0, 1, 2, 3])
    train(never, data(dtype=torch.float32), Training(epochs=3, batch_size=64))
    assert same(often, never)
    assert all(torch.equal(a, b) for a, b in zip(often.buffers(), never.buffers(), strict=True))


class Killed(Exception):
    pass


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("make", [lambda: stack(networks([0, 1], torch.float32)), noisy], ids=["stacked", "noisy"])
@pytest.mark.parametrize("killed_at", [0, 1, 3, 4])
def test_a_resumed_run_is_bit_identical(settings: Training, make: Any, killed_at: int, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"snapshots": [0, 1, 3, 4], "checkpoint": tmp_path / "training.pt"}
    whole = make()
    expected = train(whole, data(dtype=torch.float32), settings, snapshots=asked["snapshots"])

    def die(epoch: int, *_: object) -> None:
        if epoch == killed_at:
            raise Killed

    with pytest.raises(Killed):
        train(make(), data(dtype=torch.float32), settings, on_snapshot=die, **asked)
    again = make()
    called: list[int] = []
    history = train(
        again, data(dtype=torch.float32), settings, on_snapshot=lambda e, *_: called.append(e), resume=True, **asked
    )
    assert same(again, whole)
    assert history == expected
    assert called == [epoch for epoch in (0, 1, 3, 4) if epoch >= killed_at]


def test_checkpoints_are_written_between_distant_snapshots_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infoflow.training.checkpoint.SECONDS_BETWEEN", 0.0)
    path = tmp_path / "training.pt"
    whole, broken = networks([0])[0], networks([0])[0]
    train(whole, data(), Training(epochs=6), snapshots=[6])
    passes = 0

    def count(module: nn.Module, _: object, __: object) -> None:
        nonlocal passes
        passes += module.training
        if passes == 5:
            raise Killed

    handle = broken.register_forward_hook(count)
    with pytest.raises(Killed):
        train(broken, data(), Training(epochs=6), snapshots=[6], checkpoint=path)
    handle.remove()
    resumed = networks([0])[0]
    passes = 0
    resumed.register_forward_hook(count)
    train(resumed, data(), Training(epochs=6), snapshots=[6], checkpoint=path, resume=True)
    assert passes == 2  # epochs 5 and 6 alone
    assert same(resumed, whole)


def test_a_finished_run_resumes_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "training.pt"
    first, again = networks([0])[0], networks([0])[0]
    history = train(first, data(), Training(epochs=2), snapshots=[2], checkpoint=path)
    assert train(again, data(), Training(epochs=2), snapshots=[2], checkpoint=path, resume=True) == history
    assert same(first, again)


def test_a_killed_process_resumes_to_the_same_end(tmp_path: Path) -> None:
    path = tmp_path / "training.pt"
    script = textwrap.dedent(
        f"""
        import time
        from infoflow.data import szt
        from infoflow.models import MLP, stack
        from infoflow.training import Training, train
        network = stack([MLP([12, 6, 2], seed=seed) for seed in range(2)])
        def slow(epoch, *_):
            print(epoch, flush=True)
            time.sleep(0.05)
        train(network, szt().tensors(), Training(epochs=30), snapshots=range(31), on_snapshot=slow,
              checkpoint={str(path)!r})
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "5":
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    settings = Training(epochs=30)
    whole, resumed = (stack([MLP([12, 6, 2], seed=seed) for seed in range(2)]) for _ in range(2))
    history = train(resumed, szt().tensors(), settings, snapshots=range(31), checkpoint=path, resume=True)
    assert train(whole, szt().tensors(), settings, snapshots=range(31)) == history
    assert same(whole, resumed)


def checkpoint(folder: Path) -> Path:
    path = folder / "training.pt"
    train(networks([0])[0], data(), Training(epochs=1), snapshots=[1], checkpoint=path)
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"settings": Training(epochs=2)}, "epochs was 1, is 2"),
        ({"settings": Training(epochs=1, learning_rate=0.5)}, "learning_rate was 0.0004, is 0.5"),
        ({"settings": Training(epochs=1, shuffle=False)}, "shuffle was True, is False"),
        ({"seeds": [4]}, r"seeds was \[0\], is \[4\]"),
        ({"snapshots": [0, 1]}, "snapshots"),
        ({"network": MLP([12, 6, 4, 2], "relu", dtype=torch.float64)}, "network"),
        ({"network": MLP([12, 6, 4, 2], initialization="he", dtype=torch.float64)}, "initialization"),
        ({"data": data(199)}, "data"),
    ],
)
def test_resuming_with_other_settings_is_refused(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    before = path.read_bytes()
    arguments: dict[str, Any] = {
        "network": networks([0])[0], "data": data(), "settings": Training(epochs=1), "snapshots": [1], **change
    }  # fmt: skip
    with pytest.raises(InvalidArgument, match=told):
        train(**arguments, checkpoint=path, resume=True)
    assert path.read_bytes() == before


def test_a_checkpoint_is_not_overwritten_unasked(tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    before = path.read_bytes()
    with pytest.raises(InvalidArgument, match="Pass resume=True"):
        train(networks([0])[0], data(), Training(epochs=1), snapshots=[1], checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "foreign"])
def test_a_damaged_checkpoint_is_refused_by_name(damage: str, tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes({"empty": b"", "cut": raw[:-100], "flipped": raw, "foreign": b"PK\3\4 something"}[damage])
    with pytest.raises(BrokenStore, match=str(path)):
        train(networks([0])[0], data(), Training(epochs=1), snapshots=[1], checkpoint=path, resume=True)


def test_a_failed_write_keeps_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "training.pt"
    real, calls = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError("no space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        train(networks([0])[0], data(), Training(epochs=4), snapshots=[1, 2, 3, 4], checkpoint=path)
    monkeypatch.setattr(os, "fsync", real)
    whole, resumed = networks([0])[0], networks([0])[0]
    train(whole, data(), Training(epochs=4))
    train(resumed, data(), Training(epochs=4), snapshots=[1, 2, 3, 4], checkpoint=path, resume=True)
    assert same(whole, resumed)


def test_divergence_names_epoch_seed_and_remedy() -> None:
    stacked = stack(networks([5, 9]))
    with torch.no_grad():
        stacked.linear1.weight[1] = float("nan")
    with pytest.raises(DidNotConverge, match=r"epoch 1 for seed 9. Use a smaller learning rate"):
        train(stacked, data(), Training(epochs=3), seeds=[5, 9])
    with pytest.raises(DidNotConverge, match=r"epoch 0 for seed 9"):
        train(stacked, data(), Training(epochs=3), seeds=[5, 9], snapshots=[0])


def test_a_huge_learning_rate_diverges_before_its_snapshot() -> None:
    network = MLP([12, 6, 2], "relu", dtype=torch.float32)
    seen: list[int] = []
    with pytest.raises(DidNotConverge, match="seed 0"):
        train(
            network,
            data(dtype=torch.float32),
            Training(epochs=9, optimizer="sgd", learning_rate=1e30),
            snapshots=range(10),
            on_snapshot=lambda epoch, *_: seen.append(epoch),
        )
    assert seen == [0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seeds": [1, 2]}, "^seeds must be one for each network"),
        ({"seeds": [-1]}, "^seeds must be"),
        ({"snapshots": [3]}, "^snapshots must be .*<= 2"),
        ({"snapshots": [0.5]}, "^snapshots must be"),
        ({"data": (torch.zeros(4, 12), torch.zeros(3).long())}, "^inputs and labels of data must be equally many"),
        ({"data": (torch.full((2, 12), torch.nan), torch.zeros(2).long())}, "NaN"),
        ({"data": (torch.zeros(2, 12), torch.zeros(2))}, "^labels of data must be integers"),
        ({"data": (torch.zeros(2, 12).int(), torch.zeros(2).long())}, "^inputs of data must be floats"),
        ({"data": (torch.zeros(0, 12), torch.zeros(0).long())}, "^inputs of data must be"),
        ({"data": torch.zeros(3, 12)}, "^data must be a pair of arrays"),
        ({"data": (torch.zeros(2, 11), torch.zeros(2).long())}, "^network must accept inputs of data"),
        ({"data": (torch.zeros(2, 12), torch.tensor([0, 2]))}, "^labels of data must be in 0..1"),
        ({"evaluate": {"test": (torch.zeros(2, 12), torch.tensor([0, 7]))}}, "^labels of test must be in 0..1"),
        ({"network": nn.Sequential(nn.Linear(12, 2), nn.Flatten(0))}, "^output of network must be"),
        ({"network": nn.Identity()}, "^network must be a module with something to train"),
        ({"device": "cuda:99"}, "^device must be .*'cuda:99'"),
        ({"device": "quantum"}, "^device must be .*'quantum'"),
        ({"checkpoint": "/nowhere/training.pt"}, "^checkpoint must be a file in an existing folder"),
    ],
)
def test_an_error_names_the_argument(change: dict[str, Any], told: str) -> None:
    arguments: dict[str, Any] = {
        "network": MLP([12, 4, 2]), "data": data(dtype=torch.float32), "settings": Training(epochs=2), **change
    }  # fmt: skip
    with pytest.raises(InvalidArgument, match=told):
        train(**arguments)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"epochs": 0}, InvalidArgument),
        ({"epochs": 1.5}, InvalidArgument),
        ({"batch_size": 0}, InvalidArgument),
        ({"learning_rate": -1.0}, InvalidArgument),
        ({"weight_decay": float("nan")}, InvalidArgument),
        ({"momentum": 0.9}, InvalidArgument),
        ({"optimizer": "adm"}, UnknownName),
    ],
)
def test_bad_settings_are_told(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Training(**{"epochs": 1, **change})


def test_a_convolutional_network_trains_too() -> None:
    x = torch.randn(40, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    y = (x.mean(dim=(1, 2, 3)) > 0).long()
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2))
    history = train(network, (x, y), Training(epochs=20, batch_size=16, learning_rate=0.02), snapshots=[0, 20])
    assert history[20]["train_loss"][0] < history[0]["train_loss"][0]


def test_progress_is_shown_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    train(networks([0])[0], data(), Training(epochs=2), progress=True)
    assert "epoch" in capsys.readouterr().err
    train(networks([0])[0], data(), Training(epochs=2))
    assert capsys.readouterr() == ("", "")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_it_equals_the_processor_and_leaves_its_random_state_alone() -> None:
    here, there = stack(networks([0, 1])), stack(networks([0, 1]))
    state = torch.cuda.get_rng_state()
    train(here, data(), SETTINGS[0], device="cpu")
    train(there, data(), SETTINGS[0], device="auto")
    assert torch.equal(torch.cuda.get_rng_state(), state)
    for p, q in zip(here.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(p, q.cpu(), rtol=0, atol=1e-9)
