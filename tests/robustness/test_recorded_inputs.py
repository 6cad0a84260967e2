"""Arrays and models of unusual kinds are recorded like plain ones, or an error of ours states the remedy."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.data.idx import read_idx
from infoflow.layers import QuantizedActivation
from infoflow.plane import Recording, record

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = np.arange(40) % 2


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def recorded(store: Path, x: Any, y: Any, network: nn.Module | None = None, **options: Any) -> np.ndarray:
    with record(network or model(), x, y, store=store, **options) as recorder:
        recorder.snapshot(0)
    return np.asarray(Recording(store).activations(0, "1"))


ARRAYS: dict[str, Callable[[np.ndarray], Any]] = {
    "reversed twice": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "Fortran order": np.asfortranarray,
    "every second of a longer array": lambda a: np.repeat(a, 2, axis=0)[::2],
    "list": lambda a: a.tolist(),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_the_layout_of_an_array_means_nothing(kind: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = recorded(tmp_path / "other", ARRAYS[kind](X), ARRAYS[kind](Y))
    np.testing.assert_allclose(found, recorded(tmp_path / "plain", X, Y), atol=1e-6)


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about the age of TorchScript
        traced: nn.Module = torch.jit.trace(model(), torch.zeros(1, 3))
    return traced


class Sparse(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.relu().to_sparse()


@pytest.mark.parametrize(
    ("network", "x", "options", "argument"),
    [
        (nn.Sequential(Sparse()), X, {"layers": ["0"]}, "output of layer '0'"),
        (scripted(), X, {}, "model"),
        (model().to("meta"), X, {}, None),
        (model(), torch.empty(40, 3, device="meta"), {}, "probe_x"),
        (model(), torch.from_numpy(X).to_sparse(), {}, "probe_x"),
        (model(), (row for row in X), {}, "probe_x"),
    ],
    ids=["sparse output", "TorchScript", "meta model", "meta inputs", "sparse inputs", "generator"],
)
def test_what_cannot_be_recorded_is_refused(
    network: nn.Module, x: Any, options: dict[str, Any], argument: str | None, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        recorded(tmp_path / "run", x, Y, network, **options)
    assert caught.value.argument == argument or argument is None
    assert argument is not None or "model" in str(caught.value)


def test_a_file_with_too_many_axes_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(bytes([0, 0, 8, 255]) + struct.pack(">255I", *[1] * 255) + b"\0")
    with pytest.raises(BrokenStore, match="255 axes"):
        read_idx(path)


def test_an_empty_batch_changes_no_range() -> None:
    layer = QuantizedActivation(4)
    layer(torch.tensor([[0.0, 2.0]]))
    assert layer(torch.zeros(0, 2)).shape == (0, 2)
    assert (float(layer.low), float(layer.high)) == (0.0, 2.0)
