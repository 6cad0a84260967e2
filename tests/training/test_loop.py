"""One loop for any objective: who learns what, resuming, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import BrokenStore, DidNotConverge, InvalidArgument, UnknownName
from infoflow.objectives import Objective
from infoflow.training import Fit, Optimizer, Player, fit


def regression(seed: int = 0, *, dropout: float = 0.0) -> tuple[nn.Module, list[Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(64, 3, generator=generator)
    y = x @ torch.tensor([1.0, -2.0, 0.5])
    network = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(dropout), nn.Linear(8, 1))
    for p in network.parameters():
        with torch.no_grad():
            p.copy_(torch.randn(p.shape, generator=generator) / 3)
    return network, [x, y]


def squares(network: nn.Module) -> Player:
    return Player(network, lambda x, y: (network(x).squeeze(1) - y).square().mean())


def test_it_equals_torch_step_by_step() -> None:
    weight = nn.Linear(2, 1, bias=False)
    start = weight.weight.detach().clone()
    x, y = torch.randn(6, 2), torch.randn(6)
    settings = Fit(epochs=3, batch_size=6, optimizer=Optimizer("sgd", 0.1, momentum=0.5, milestones=(2,)))
    history = fit(Player(weight, lambda x, y: (weight(x)[:, 0] - y).square().mean()), [x, y], settings)

    w, velocity = start.double().clone(), torch.zeros(1, 2, dtype=torch.float64)
    losses = []
    for rate in (0.1, 0.1, 0.01):
        residual = x.double() @ w[0] - y.double()
        losses.append(residual.square().mean().item())
        velocity = 0.5 * velocity + 2 * (residual @ x.double() / 6)
        w = w - rate * velocity
    torch.testing.assert_close(weight.weight.detach().double(), w, rtol=1e-5, atol=1e-6)
    assert [row["loss"] for row in history] == pytest.approx(losses, rel=1e-5)


def test_adversaries_train_their_own_parameters_only() -> None:
    generator, judge = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    seen: list[tuple[float, float]] = []

    class Fool(Objective):
        def forward(self, x: Tensor) -> Tensor:
            score = judge(generator(x)).mean()
            self.record({"score": score})
            return -score

    def tell(x: Tensor) -> Tensor:
        seen.append((generator.weight.item(), judge.weight.item()))
        return judge(generator(x)).mean() - judge(x).mean()

    with torch.no_grad():
        generator.weight.fill_(0.5)
        judge.weight.fill_(1.0)
    settings = Fit(epochs=1, batch_size=4, optimizer=Optimizer("sgd", 0.1))
    history = fit({"generator": Player(generator, Fool()), "judge": Player(judge, tell)}, [torch.ones(4, 1)], settings)
    # The generator moved by .1·(its own gradient −1); had the judge's loss reached it, its next step would be off.
    assert seen == [(pytest.approx(0.6), pytest.approx(1.0))]
    assert judge.weight.item() == pytest.approx(1.0 - 0.1 * (0.6 - 1.0))
    assert history[0].keys() == {"epoch", "generator/loss", "generator/score", "judge/loss"}


def test_evaluation_sees_quiet_modules_and_its_numbers_are_kept() -> None:
    network, data = regression(dropout=0.5)
    seen: list[tuple[int, bool, bool]] = []

    def evaluate(epoch: int) -> dict[str, float]:
        seen.append((epoch, network.training, torch.is_grad_enabled()))
        return {"twice": 2.0 * epoch}

    history = fit(squares(network), data, Fit(epochs=5, batch_size=16), evaluate=evaluate, every=2)
    assert seen == [(epoch, False, False) for epoch in (0, 2, 4, 5)]
    assert [row.get("twice") for row in history] == [0.0, None, 4.0, None, 8.0, 10.0]
    assert network.training


def test_prepare_draws_from_its_own_generator_and_sees_whole_batches() -> None:
    network, data = regression()
    sizes: list[int] = []

    def prepare(x: Tensor, y: Tensor, generator: torch.Generator) -> list[Tensor]:
        sizes.append(len(x))
        return [x + 0.1 * torch.randn(x.shape, generator=generator), y]

    runs = []
    for _ in range(2):
        network, data = regression()
        runs.append(fit(squares(network), data, Fit(epochs=2, batch_size=24), prepare=prepare, seed=3))
    assert runs[0] == runs[1]
    assert set(sizes) == {24}
    sizes.clear()
    fit(squares(network), data, Fit(epochs=1, batch_size=24, drop_last=False), prepare=prepare)
    assert sizes == [24, 24, 16]


def test_global_random_state_stays_and_seeds_decide() -> None:
    networks, data = [regression(dropout=0.5)[0] for _ in range(3)], regression()[1]
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for network, seed in zip(networks, (0, 0, 1), strict=True):
        fit(squares(network), data, Fit(epochs=2, batch_size=16), seed=seed)
    ends = [network.get_parameter("0.weight") for network in networks]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


class Stop(Exception):
    pass


def test_an_interrupted_run_ends_on_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infoflow.training.checkpoint.SECONDS_BETWEEN", 0.0)
    settings = Fit(epochs=6, batch_size=16, optimizer=Optimizer("adam", 0.01, milestones=(4,)))
    whole_network, data = regression(dropout=0.3)
    whole = fit(squares(whole_network), data, settings, checkpoint=tmp_path / "whole")

    def stop(epoch: int) -> dict[str, float]:
        if epoch == 4:
            raise Stop
        return {}

    network, data = regression(dropout=0.3)
    with pytest.raises(Stop):
        fit(squares(network), data, settings, checkpoint=tmp_path / "part", evaluate=stop)
    network, data = regression(seed=9, dropout=0.3)
    data = regression()[1]
    again = fit(squares(network), data, settings, checkpoint=tmp_path / "part", resume=True)
    assert [row for row in again if row["epoch"] > 0] == whole
    for a, b in zip(network.state_dict().values(), whole_network.state_dict().values(), strict=True):
        assert torch.equal(a, b)

    with pytest.raises(InvalidArgument, match="resume=True"):
        fit(squares(network), data, settings, checkpoint=tmp_path / "part")
    with pytest.raises(InvalidArgument, match="batch_size was 16, is 32"):
        fit(squares(network), data, Fit(epochs=6, batch_size=32), checkpoint=tmp_path / "part", resume=True)
    with pytest.raises(InvalidArgument, match="beta was None, is 2"):
        fit(squares(network), data, settings, checkpoint=tmp_path / "part", resume=True, fingerprint={"beta": 2})
    content = bytearray((tmp_path / "part").read_bytes())
    content[-9] ^= 1
    (tmp_path / "part").write_bytes(content)
    with pytest.raises(BrokenStore, match="damaged"):
        fit(squares(network), data, settings, checkpoint=tmp_path / "part", resume=True)


@pytest.mark.parametrize(("precision", "channels_last"), [("bfloat16", False), ("float32", True), ("bfloat16", True)])
def test_half_precision_and_channels_last_train_too(precision: str, channels_last: bool) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    x, y = torch.randn(32, 3, 8, 8), torch.arange(32) % 2
    formats = set()

    def loss(x: Tensor, y: Tensor) -> Tensor:
        formats.add(x.is_contiguous(memory_format=torch.channels_last))
        return nn.functional.cross_entropy(network(x).float(), y)

    settings = Fit(
        epochs=30,
        batch_size=16,
        optimizer=Optimizer(learning_rate=0.01),
        precision=precision,
        channels_last=channels_last,
    )
    history = fit(Player(network, loss), [x, y], settings)
    assert history[-1]["loss"] < 0.1 < history[0]["loss"]
    assert formats == {channels_last}


def test_a_loss_that_is_no_number_is_told() -> None:
    network, data = regression()
    with pytest.raises(DidNotConverge, match="epoch 1"):
        fit(Player(network, lambda x, y: network(x).mean() * math.nan), data, Fit(epochs=1, batch_size=16))
    with pytest.raises(InvalidArgument, match=r"\(64, 1\)|\(16, 1\)"):
        fit(Player(network, lambda x, y: network(x)), data, Fit(epochs=1, batch_size=16))


@pytest.mark.parametrize(
    ("data", "batch_size", "told"),
    [
        ([], 4, "^data must be a sequence of tensors"),
        (torch.zeros(8, 2), 4, "^data must be a sequence of tensors"),
        ([torch.zeros(8, 2), torch.zeros(7)], 4, "^data must be .*8, 7"),
        ([torch.full((8, 2), math.nan)], 4, "NaN"),
        ([torch.zeros(8, 2)], 16, "^batch_size must be"),
    ],
)
def test_data_that_do_not_fit_are_refused(data: object, batch_size: int, told: str) -> None:
    network = nn.Linear(2, 1)
    with pytest.raises(InvalidArgument, match=told):
        fit(Player(network, lambda x: network(x).mean()), data, Fit(epochs=1, batch_size=batch_size))  # type: ignore[arg-type]


def test_settings_out_of_range_are_refused() -> None:
    network = nn.Linear(2, 1).requires_grad_(False)
    with pytest.raises(InvalidArgument, match="something to train"):
        fit(Player(network, lambda x: network(x).mean()), [torch.zeros(4, 2)], Fit(epochs=1, batch_size=2))
    with pytest.raises(InvalidArgument, match="players must be"):
        fit({}, [torch.zeros(4, 2)], Fit(epochs=1))
    with pytest.raises(UnknownName, match="float16"):
        Fit(epochs=1, precision="float16")
    with pytest.raises(UnknownName, match="Did you mean 'adam'"):
        Optimizer("adamm")
    for wrong in (
        {"momentum": 0.9},
        {"nesterov": True},
        {"milestones": (5, 2)},
        {"betas": (0.5, 1.0)},
        {"factor": 0.0},
    ):
        with pytest.raises(InvalidArgument):
            Optimizer("adam", **wrong)  # type: ignore[arg-type]


WORKER = """
import sys, torch, torch.distributed as dist
from datetime import timedelta
from torch import nn
from infoflow.training import Fit, Optimizer, Player, fit

rank, world, store = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
address = f"file://{store}"
dist.init_process_group("gloo", init_method=address, rank=rank, world_size=world, timeout=timedelta(seconds=60))
torch.manual_seed(rank)  # processes start with other weights: the first one's count
network = nn.Linear(3, 1)
x = torch.arange(48.0, dtype=torch.float32).reshape(16, 3).sin()
y = x.sum(1, keepdim=True)
settings = Fit(epochs=5, batch_size=16 // world, optimizer=Optimizer("sgd", 0.1))
fit(Player(network, lambda x, y: (network(x) - y).square().mean()), [x, y], settings, group=dist.group.WORLD)
torch.save(network.state_dict(), f"{store}.{rank}")
dist.destroy_process_group()
"""


def test_processes_together_take_the_steps_of_one(run_processes: Any, tmp_path: Path) -> None:
    store, script = tmp_path / "store", tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    run_processes(script, [(rank, 2, store) for rank in range(2)])
    torch.manual_seed(0)
    network = nn.Linear(3, 1)
    x = torch.arange(48.0, dtype=torch.float32).reshape(16, 3).sin()
    y = x.sum(1, keepdim=True)
    settings = Fit(epochs=5, batch_size=16, optimizer=Optimizer("sgd", 0.1))
    fit(Player(network, lambda x, y: (network(x) - y).square().mean()), [x, y], settings)
    for rank in range(2):
        found = torch.load(f"{store}.{rank}", weights_only=True)
        for name, value in network.state_dict().items():
            torch.testing.assert_close(found[name], value)
