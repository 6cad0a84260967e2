"""Errors of PyTorch about inputs are restated with argument, expectation, what was given, and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from infoflow import profile
from infoflow.core.errors import InvalidArgument
from infoflow.core.module_inputs import ExplainedInputs, explaining
from infoflow.critics import Separable
from infoflow.layers import InformationDropout
from infoflow.metrics import PredictionInformation
from infoflow.objectives import Objective, VariationalBottleneck
from infoflow.plane import record

X, LABELS = torch.randn(6, 4), torch.arange(6) % 2


class Inner(ExplainedInputs, nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(4, 2)

    def forward(self, x: Tensor, other: Any = None) -> Tensor:
        return self.network(x) if other is None else self.network(x) + other


@pytest.mark.parametrize(
    ("x", "argument", "parts"),
    [
        (X.double(), "x", ["dtype of the weights of Inner (float32)", "got float64", ".to(torch.float32)"]),
        (X.half(), "x", ["got float16", "the module with .to(torch.float16)"]),
        (X.long(), "x", ["got int64", ".to(torch.float32)"]),
        (X.to("meta"), "x", ["a tensor with data", "meta"]),
        (X[:, :3], "x", ["of a shape that Inner accepts", "got shape (6, 3)", "PyTorch reports: mat1 and mat2"]),
        (X.tolist(), "x", ["a tensor", "got a list"]),
    ],
)
def test_each_fault_is_named_with_its_remedy(x: Any, argument: str, parts: list[str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Inner()(x)
    message = str(caught.value)
    assert message.startswith(f"{argument} must be ")
    assert all(part in message for part in parts), message
    assert "\n" not in message
    assert caught.value.__cause__ is not None  # the error of PyTorch, with its place


def test_the_argument_that_differs_is_named() -> None:
    with pytest.raises(InvalidArgument, match=r"^other must be a tensor with data"):
        Inner()(X, torch.ones(6, 2, device="meta"))
    with pytest.raises(InvalidArgument, match=r"^x and other must be of shapes that Inner accepts"):
        Inner()(X, torch.ones(5, 2))


def test_a_sparse_tensor_is_named_where_an_operation_rejects_it() -> None:
    sparse = X.to_sparse()
    remedy = r"^x must be a dense tensor, got one of layout sparse_coo. Convert it with .to_dense\(\).$"
    with pytest.raises(InvalidArgument, match=remedy), explaining(Inner(), x=sparse):
        sparse.sigmoid()


def test_integers_that_select_no_row_are_named_with_their_range() -> None:
    table, ids = nn.Embedding(5, 2), torch.tensor([[0, 4], [7, 1]])
    wanted = r"^ids must be within the range that Embedding looks up, got values from 0 to 7\. Check"
    with pytest.raises(InvalidArgument, match=wanted), explaining(table, ids=ids):
        table(ids)


def test_other_errors_remain_as_they_are() -> None:
    class Faulty(Inner):
        def forward(self, x: Tensor, other: Any = None) -> Tensor:
            raise RuntimeError("an internal fault")

    with pytest.raises(RuntimeError, match="an internal fault"):
        Faulty()(X)
    with pytest.raises(TypeError, match="positional"):
        Inner()()
    with pytest.raises(torch.OutOfMemoryError), explaining(Inner(), x=X):
        raise torch.OutOfMemoryError("the size of a tensor")


def test_a_subclass_of_a_user_is_covered_and_compiles() -> None:
    class Loss(Objective):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Tensor, labels: Tensor) -> Tensor:
            return nn.functional.cross_entropy(self.network(x), labels)

    loss = Loss(nn.Linear(4, 2))
    with pytest.raises(InvalidArgument, match=r"^labels must be integer classes, got float64. Convert them with"):
        loss(X, LABELS.double())
    compiled = torch.compile(loss, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(X, LABELS), loss(X, LABELS))


def profiled(network: nn.Module, x: Tensor) -> Any:
    return profile(network, [(x, LABELS)])


CALLS: dict[str, Callable[[Tensor, Path], Any]] = {
    "critic": lambda x, _: Separable(4, 4).scores(x, x),
    "layer": lambda x, _: InformationDropout(nn.Linear(4, 4))(x),
    "metric": lambda x, _: PredictionInformation(classes=4)(x, LABELS.to_sparse()),
    "objective": lambda x, _: VariationalBottleneck(nn.Linear(4, 4), dimension=2, classes=2)(x, LABELS),
    "profile of a network": lambda x, _: profiled(nn.Sequential(nn.Linear(4, 2)), x),
    "recording of a network": lambda x, folder: record(
        nn.Sequential(nn.Linear(5, 2)), x, LABELS, store=folder / "run"
    ).snapshot(0),
}


@pytest.mark.parametrize("kind", CALLS)
def test_every_kind_of_module_has_this_step(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument):
        CALLS[kind](X.double(), tmp_path)
