from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow.core.capture import Capture
from infoflow.core.errors import InvalidArgument, UnknownName


def capture(model: nn.Module, layers: Any = "auto", output: Callable[[Any], Tensor] | None = None) -> Capture:
    return Capture(model, layers, output, torch.randn(2, 4))


class Twice(nn.Module):
    """One activation that runs three times, as residual networks have it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.act = nn.ReLU(inplace=True)
        self.unused = nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.first(x))
        x = self.act(self.second(x))
        return self.act(x + 1) @ self.first.weight


def test_auto_takes_activations_in_the_order_in_which_they_run_and_the_output() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.late, self.early, self.linear = nn.Sigmoid(), nn.GELU(), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(self.late(self.early(x)))

    assert capture(Backwards()).layers == ["early", "late", "output"]
    nested = nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.SiLU()), nn.Sequential(nn.Linear(3, 2), nn.Softplus()))
    assert capture(nested).layers == ["0.1", "1.1"]
    assert capture(nn.Linear(4, 2)).layers == ["output"]


class Functional(nn.Module):
    """Activations without modules, as in most tutorials."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv1d(1, 3, 2), nn.BatchNorm1d(3)
        self.first, self.last = nn.Linear(9, 5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.conv(x[:, None])))
        return self.last(torch.relu(self.first(x.flatten(1))))


def test_without_activation_modules_the_modules_with_parameters_are_taken(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "infoflow")
    model = Functional()
    capturing = capture(model)
    assert capturing.layers == ["conv", "norm", "first", "output"]
    assert "conv, norm, first, output" in caplog.text
    taken = capturing(x := torch.randn(5, 4))
    assert torch.equal(taken["output"], model.eval()(x))
    assert torch.equal(taken["conv"], model.conv(x[:, None]))
    assert [record.levelname for record in caplog.records] == ["WARNING"]  # since they are not what "auto" looks for


def test_leaves_are_the_innermost_modules_with_parameters() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Sequential(nn.LayerNorm(3), nn.PReLU()), nn.Linear(3, 2))
    assert capture(model, "leaves").layers == ["0", "2.0", "2.1", "output"]
    assert capture(model).layers == ["1", "2.1", "output"]
    attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    taken = Capture(attention, "auto", None, torch.randn(2, 5, 4))
    assert taken.layers == ["self_attn", "norm1", "linear1", "linear2", "output"]
    assert taken(torch.randn(3, 5, 4))["linear1"].shape == (3, 5, 8)


def test_leaves_without_a_row_per_sample_are_left_out() -> None:
    class TimeFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent, self.last = nn.LSTM(4, 3), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(torch.tanh(self.recurrent(x.transpose(0, 1))[0][-1]))

    assert Capture(TimeFirst(), "auto", None, torch.randn(2, 7, 4)).layers == ["output"]


def test_a_choice_that_misses_layers_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    class Mostly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(4))
            self.act = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers[:-1]:
                x = torch.tanh(layer(x))
            return self.layers[-1](self.act(x))

    assert capture(Mostly()).layers == ["act", "output"]
    assert "'leaves'" in caplog.text
    caplog.clear()
    assert capture(nn.Linear(4, 2)).layers == ["output"]
    assert "Only the output is recorded" in caplog.text


def test_the_choice_of_layers_is_logged_and_leaves_in_place_of_activations_are_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(nn.functional.relu(self.second(nn.functional.relu(self.first(x)))))

    caplog.set_level("INFO")
    assert capture(Functional()).layers == ["first", "second", "output"]
    assert [(r.levelname, "first, second, output" in r.getMessage()) for r in caplog.records] == [("WARNING", True)]
    for model, layers in (
        (nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)), "auto"),
        (Functional(), "leaves"),
    ):
        caplog.clear()
        chosen = capture(model, layers).layers
        assert [(r.levelname, ", ".join(chosen) in r.getMessage()) for r in caplog.records] == [("INFO", True)]


def test_an_activation_that_is_the_output_is_taken_once() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2), nn.Softmax(dim=-1))
    assert capture(model).layers == ["1", "3"]
    assert capture(model, output=lambda logits: logits * 2).layers == ["1", "3", "output"]
    taken = capture(model, ["3", "output"])(x := torch.randn(5, 4))
    assert torch.equal(taken["3"], taken["output"])
    assert torch.equal(taken["3"], model(x))


def test_a_last_activation_that_is_changed_in_place_is_not_the_output() -> None:
    class Shifted(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).add_(1)

    model = Shifted(nn.Linear(4, 3), nn.ReLU())
    taken = capture(model)(x := torch.randn(5, 4))
    assert list(taken) == ["1", "output"]
    assert torch.equal(taken["1"] + 1, taken["output"])
    assert torch.equal(taken["output"], model(x))


def test_what_is_taken_are_the_values_before_a_later_module_writes_into_them() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.Linear(6, 3))
    x = torch.randn(9, 4)
    taken = capture(model, ["0", "1"])(x)
    assert torch.equal(taken["0"], model[0](x))
    assert (taken["0"] < 0).any()
    assert torch.equal(taken["1"], model[0](x).clamp(min=0))


def test_a_module_that_runs_again_is_numbered() -> None:
    model = Twice()
    assert capture(model).layers == ["act@1", "act@2", "act@3", "output"]
    x = torch.randn(5, 4)
    taken = capture(model, ["act@2", "output"])(x)
    assert list(taken) == ["act@2", "output"]
    assert torch.equal(taken["act@2"], model.second(model.first(x).relu()).relu())
    with pytest.raises(InvalidArgument, match=r"^layers must be some of act@1, act@2, act@3"):
        capture(model, ["act"])
    with pytest.raises(InvalidArgument, match=r"^layers must be some of act@1.*'act@4'"):
        capture(model, ["act@4"])
    with pytest.raises(InvalidArgument, match=r"^layers must be 'first'.*'first@2'"):
        capture(model, ["first@2"])


def test_layers_that_cannot_be_recorded_are_named() -> None:
    model = Twice()
    with pytest.raises(InvalidArgument, match=r"^layers must be .*'unused'"):
        capture(model, ["unused"])
    with pytest.raises(UnknownName, match=r"unknown layer 'secnd'. Did you mean 'second'\?"):
        capture(model, ["first", "secnd"])
    with pytest.raises(InvalidArgument, match=r"^layers must be"):
        capture(model, [])
    with pytest.raises(InvalidArgument, match="first more than once"):
        capture(model, ["first", "first"])
    with pytest.raises(InvalidArgument, match=r"^layers must be 'auto'.*'all'"):
        capture(model, "all")


def test_a_layer_that_returns_no_tensor_is_named() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(4, 3)

        def forward(self, x: Tensor) -> Any:
            return self.lstm(x)

    # Of a tuple the first entry counts, as for the blocks of transformers; of the model's output one must say which.
    assert capture(Recurrent(), ["lstm"], output=lambda result: result[0])(torch.randn(5, 4))["lstm"].shape == (5, 3)
    with pytest.raises(InvalidArgument, match=r"^output of layer 'output' must be a tensor.*tuple.*output="):
        capture(Recurrent())
    assert capture(Recurrent(), output=lambda result: result[0])(torch.randn(5, 4))["output"].shape == (5, 3)


def test_a_model_that_cannot_run_on_the_probe_says_so_in_our_words() -> None:
    with pytest.raises(InvalidArgument, match=r"cannot run on a batch of shape \(2, 4\)"):
        capture(nn.Linear(5, 2))
    with pytest.raises(InvalidArgument, match=r"^model must be initialized.*'weight'"):
        capture(nn.LazyLinear(2))


def test_a_forward_pass_that_changes_is_refused() -> None:
    class Moody(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act, self.again = nn.Tanh(), False

        def forward(self, x: Tensor) -> Tensor:
            return self.act(self.act(x)) if self.again else self.act(x) + 1

    model = Moody()
    taking = capture(model)
    model.again = True
    with pytest.raises(InvalidArgument, match=r"^model must be .*\['act'\].*got \['act@1', 'act@2'\]"):
        taking(torch.randn(2, 4))


class Restless(nn.Module):
    """Draws from every generator and writes into its buffers, whatever its mode."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("replaced", torch.zeros(3))
        self.norm, self.drop, self.act = nn.BatchNorm1d(4), nn.Dropout(0.5), nn.ReLU()
        self.fails = False

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        self.replaced = self.replaced + 1
        noise = torch.randn_like(x) + float(np.random.rand()) + random.random()  # noqa: NPY002
        x = self.act(self.drop(self.norm(x))) + 0 * noise
        if self.fails:
            raise RuntimeError("on purpose")
        return x + 1


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_of_the_model_or_the_random_states_changes(fails: bool) -> None:
    model = Restless()
    taking = capture(model)
    model.train()
    model.norm.eval()  # a frozen layer must stay frozen
    model.norm.weight.grad = torch.ones(4)
    model.fails = fails
    before = {name: value.clone() for name, value in model.state_dict().items()}
    buffer, flags = model.replaced, {name: module.training for name, module in model.named_modules()}
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    hooks = {name: len(module._forward_hooks) for name, module in model.named_modules()}
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    if fails:
        with pytest.raises(InvalidArgument, match="on purpose"):
            taking(x)
    else:
        taken = taking(x)
        assert not any(values.requires_grad for values in taken.values())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert model.replaced is buffer
    assert {name: module.training for name, module in model.named_modules()} == flags
    assert {name: len(module._forward_hooks) for name, module in model.named_modules()} == hooks
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002
    assert states[2] == random.getstate()
    assert torch.equal(model.norm.weight.grad, torch.ones(4))
    assert x.grad is None


def test_the_model_is_seen_in_evaluation_mode() -> None:
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.9), nn.Tanh())
    for _ in range(3):
        model(torch.randn(16, 4) * 3 + 1)
    x = torch.randn(16, 4)
    taken = capture(model)(x)["2"]
    assert torch.equal(taken, model.eval()(x))


def test_wrappers_are_looked_through() -> None:
    inner = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    x = torch.randn(5, 4)
    for wrapped in (nn.DataParallel(inner), torch.compile(inner, backend="eager")):
        taken = capture(wrapped)(x)
        assert list(taken) == ["1", "output"]
        assert torch.equal(taken["output"], inner(x))


def test_half_precision_is_widened_exactly() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh()).to(torch.bfloat16)
    taking = Capture(model, "auto", None, torch.randn(2, 4, dtype=torch.bfloat16))
    x = torch.randn(5, 4, dtype=torch.bfloat16)
    assert taking(x)["1"].dtype == torch.float32
    assert torch.equal(taking(x)["1"].to(torch.bfloat16), model(x))


def test_it_knows_whether_its_layers_form_a_chain() -> None:
    model = nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.Tanh()), nn.Linear(3, 2))
    assert capture(model).chain
    assert capture(model, ["0.0", "0.1", "1", "output"]).chain
    assert not capture(model, ["1", "0.1"]).chain
    assert not capture(Twice()).chain
    assert not capture(nn.Sequential(Twice(), nn.Linear(4, 2))).chain


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_generators_of_the_accelerator_stay_as_they_are() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.RReLU(), nn.Linear(3, 2)).cuda()

    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return model(x + torch.randn_like(x))

    taking = Capture(Noisy(), "auto", None, torch.randn(2, 4, device="cuda"))
    state = torch.cuda.get_rng_state()
    taken = taking(torch.randn(5, 4).cuda())
    assert all(values.device.type == "cpu" for values in taken.values())
    state_after_input = torch.cuda.get_rng_state()
    assert torch.equal(state, state_after_input)
