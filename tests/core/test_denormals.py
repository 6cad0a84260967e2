"""Steps of optimizers set denormal numbers to 0, and nothing else runs so."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

import infoflow
from infoflow.core.denormals import denormals_as_zero
from infoflow.models import MLP
from infoflow.training import Training, train

TINY = torch.finfo(torch.float32).tiny

pytestmark = pytest.mark.skipif(not torch.set_flush_denormal(False), reason="the processor has no such mode")


def flushed() -> bool:
    """Whether a product that is a denormal number is 0 in this thread, for torch and for Python."""
    of_torch = float(torch.tensor(TINY) / 2) == 0
    assert (sys.float_info.min / 2 == 0) is of_torch
    return of_torch


@pytest.mark.parametrize("before", [False, True])
def test_the_mode_is_as_before_afterwards(before: bool) -> None:
    torch.set_flush_denormal(before)
    try:
        with denormals_as_zero():
            assert flushed()
        assert flushed() is before
        with pytest.raises(KeyError), denormals_as_zero():
            raise KeyError
        assert flushed() is before
    finally:
        torch.set_flush_denormal(False)


def test_every_step_of_an_optimizer_in_the_source_runs_so() -> None:
    steps, inside = 0, 0
    for path in Path(infoflow.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        steps += sum(_is_step(node) for node in ast.walk(tree))
        blocks = [node for node in ast.walk(tree) if isinstance(node, ast.With)]
        inside += sum(
            _is_step(node)
            for block in blocks
            if any(ast.unparse(item.context_expr) == "denormals_as_zero()" for item in block.items)
            for node in ast.walk(block)
        )
    assert steps == inside >= 5


def _is_step(node: ast.AST) -> bool:
    """Whether this is a step without a closure: one of L-BFGS has no momentum that decays."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("optimizer.step") and not node.args


def test_processors_without_the_mode_step_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "set_flush_denormal", lambda _: False)
    with denormals_as_zero():
        assert not flushed()


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_momentum_of_weights_without_gradients_becomes_zero_and_the_network_is_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first input is 0 from the second sample on, so that its momentum decays by 0.9 a step."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2200, 4)).astype(np.float32)
    x[1:, 0] = 0
    settings: dict[str, Any] = {"momentum": 0.9} if name == "sgd" else {}
    training = Training(epochs=1, batch_size=1, shuffle=False, optimizer=name, learning_rate=1e-3, **settings)

    def trained() -> tuple[torch.Tensor, torch.Tensor]:
        network = MLP([4, 2])
        states: list[dict[int, Any]] = []

        def kept(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            states[:] = [optimizer.state_dict()["state"]]

        hook = register_optimizer_step_post_hook(kept)
        try:
            train(network, (x, (x.sum(1) > 0).astype(int)), training)
        finally:
            hook.remove()
        state = states[0][0]
        momentum = state["exp_avg" if name == "adam" else "momentum_buffer"]
        return network.linear1.weight.detach(), momentum[:, 0]

    weight, momentum = trained()
    assert (momentum == 0).all()
    monkeypatch.setattr(torch, "set_flush_denormal", lambda _: False)
    slow, stuck = trained()
    assert ((stuck != 0) & (stuck.abs() < TINY)).all()
    assert torch.equal(weight, slow)
