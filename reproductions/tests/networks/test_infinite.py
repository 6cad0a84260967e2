"""Infinite ensembles against wide networks that are drawn at random."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from infoflow_reproductions.networks.infinite import InfiniteConvolution, InfiniteEnsemble
from torch import Tensor

from infoflow.core.errors import InvalidArgument, UnknownName

ACTIVATIONS = {"erf": torch.erf, "relu": torch.relu}


def drawn(ensemble: InfiniteEnsemble, x: Tensor, width: int, count: int) -> tuple[Tensor, list[list[Tensor]]]:
    """Return outputs (count, n) of networks of this width, in the tangent parametrization, and their parameters."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    outputs, parameters = [], []
    for _ in range(count):
        sizes = [x.shape[1], *[width] * ensemble.depth, 1]
        weights = [normal(a, b) for a, b in itertools.pairwise(sizes)]
        biases = [normal(b) for b in sizes[1:]]
        h = x
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            h = h if i == 0 else ACTIVATIONS[ensemble.activation](h)
            scale = math.sqrt(ensemble.weight_variance / weight.shape[0])
            h = scale * h @ weight + math.sqrt(ensemble.bias_variance) * bias
        outputs.append(h[:, 0])
        parameters.append([*weights, *biases])
    return torch.stack(outputs), parameters


X = torch.randn(4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_kernels_equal_those_of_wide_networks(activation: str) -> None:
    ensemble = InfiniteEnsemble(activation, depth=2, weight_variance=1.5, bias_variance=0.1)
    kernels = ensemble.kernels(X, X)
    with torch.no_grad():
        outputs, _ = drawn(ensemble, X, 64, 4000)
    assert torch.allclose(outputs.T @ outputs / len(outputs), kernels.covariance, atol=0.12)
    outputs, parameters = drawn(ensemble, X, 800, 4)
    tangents = []
    for output, own in zip(outputs, parameters, strict=True):
        rows = [torch.cat([g.flatten() for g in torch.autograd.grad(o, own, retain_graph=True)]) for o in output]
        jacobian = torch.stack(rows)
        tangents.append(jacobian @ jacobian.T)
    assert torch.allclose(torch.stack(tangents).mean(0), kernels.tangent, rtol=0.1, atol=0.1)


def drawn_convolutions(
    ensemble: InfiniteConvolution, x: Tensor, channels: int, count: int
) -> tuple[Tensor, list[list[Tensor]]]:
    """Return outputs (count, n) of convolutional networks of so many channels, and their parameters."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    side = math.isqrt(x.shape[1])
    outputs, parameters = [], []
    for _ in range(count):
        widths = [1, *[channels] * ensemble.depth]
        filters = [normal(b, a, 3, 3) for a, b in itertools.pairwise(widths)]
        last = normal(channels * side**2)
        biases = [*(normal(b) for b in widths[1:]), normal(1)]
        h = x.reshape(-1, 1, side, side)
        for weight, bias in zip(filters, biases, strict=False):
            scale = math.sqrt(ensemble.weight_variance / weight[0].numel())
            shift = math.sqrt(ensemble.bias_variance) * bias
            h = ACTIVATIONS[ensemble.activation](F.conv2d(h, scale * weight, shift, padding=1))
        scale = math.sqrt(ensemble.weight_variance / len(last))
        outputs.append(scale * h.flatten(1) @ last + math.sqrt(ensemble.bias_variance) * biases[-1])
        parameters.append([*filters, last, *biases])
    return torch.stack(outputs), parameters


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_kernels_of_convolutions_equal_those_of_wide_networks(activation: str) -> None:
    ensemble = InfiniteConvolution(activation, depth=2, weight_variance=1.5, bias_variance=0.1)
    x = torch.randn(3, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    kernels = ensemble.kernels(x, x)
    with torch.no_grad():
        outputs, _ = drawn_convolutions(ensemble, x, 48, 2000)
    assert torch.allclose(outputs.T @ outputs / len(outputs), kernels.covariance, atol=0.1)
    outputs, parameters = drawn_convolutions(ensemble, x, 192, 4)
    tangents = []
    for output, own in zip(outputs, parameters, strict=True):
        rows = [torch.cat([g.flatten() for g in torch.autograd.grad(o, own, retain_graph=True)]) for o in output]
        jacobian = torch.stack(rows)
        tangents.append(jacobian @ jacobian.T)
    assert torch.allclose(torch.stack(tangents).mean(0), kernels.tangent, rtol=0.1, atol=0.1)


def test_an_ensemble_of_convolutions_interpolates_and_takes_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    ensemble = InfiniteConvolution("erf", depth=2)
    x = torch.randn(5, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0], dtype=torch.float64)
    whole = ensemble.kernels(x, x)
    monkeypatch.setattr("infoflow_reproductions.networks.infinite._BLOCK", 100)
    assert all(torch.allclose(a, b) for a, b in zip(whole, ensemble.kernels(x, x), strict=True))
    mean, variance = ensemble.trained(x, y, x, [0.0, 1e12])
    assert torch.allclose(variance[0], whole.covariance.diag())
    assert torch.allclose(mean[1], y, atol=1e-5)
    with pytest.raises(InvalidArgument, match="square images, flattened"):
        ensemble.kernels(x[:, :8], x[:, :8])


def test_an_ensemble_starts_as_its_prior_and_ends_as_an_interpolator() -> None:
    ensemble = InfiniteEnsemble("relu", depth=3)
    y = torch.tensor([1.0, 0.0, -1.0, 2.0], dtype=torch.float64)
    new = X + 0.5
    mean, variance = ensemble.trained(X, y, torch.cat([X, new]), [0.0, 3.0, 1e9])
    assert torch.equal(mean[0], torch.zeros(8, dtype=torch.float64))
    assert torch.allclose(variance[0, 4:], ensemble.kernels(new, new).covariance.diag())
    assert torch.allclose(mean[2, :4], y, atol=1e-6)
    assert variance[2, :4].max() < 1e-6 < variance[2, 4:].min()
    assert (variance[1] < variance[0]).all()


def test_an_unknown_activation_is_rejected() -> None:
    with pytest.raises(UnknownName, match="erf"):
        InfiniteEnsemble("tanh")
