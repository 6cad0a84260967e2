"""Mutual information by numerical integration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import xlogy
from scipy.stats import norm


def of_table(joint: np.ndarray) -> float:
    """Return I(X;Y) of a table of joint weights."""
    joint = joint / joint.sum()
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    return float(xlogy(joint, joint).sum() - xlogy(joint, independent).sum())


def of_density(density: Callable[[np.ndarray, np.ndarray], np.ndarray], low: float, high: float, m: int) -> float:
    """Return I(X;Y) of a joint density that is smooth at the resolution of m points per axis between two ends."""
    x = np.linspace(low, high, m)
    return of_table(density(x[:, None], x[None, :]))


def of_noise(signal: np.ndarray, weights: np.ndarray, scale: float) -> float:
    """Return I(S; S + noise) for a signal on points with weights, and Gaussian noise: h(S + noise) − h(noise)."""
    z = np.arange(signal.min() - 9 * scale, signal.max() + 9 * scale, scale / 12)
    density = np.zeros_like(z)
    for points, part in zip(np.array_split(signal, 100), np.array_split(weights / weights.sum(), 100), strict=True):
        density += norm.pdf(z[:, None], points, scale) @ part
    return float(-xlogy(density, density).sum() * (z[1] - z[0]) - norm.entropy(scale=scale))


def of_map(function: Callable[[np.ndarray], np.ndarray], scale: float) -> float:
    """Return I(X; f(X) + noise) for a standard Gaussian X and Gaussian noise."""
    x = np.linspace(-7, 7, 8001)
    return of_noise(function(x), norm.pdf(x), scale)


def of_channel(inputs: np.ndarray, channel: np.ndarray) -> float:
    """Return I(X;Y) for weights of the inputs, and P(y | x) with one row per input: H(Y) − H(Y | X)."""
    inputs = inputs / inputs.sum()
    output = inputs @ channel
    return float(inputs @ xlogy(channel, channel).sum(1) - xlogy(output, output).sum())


def rounded(r: float, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points x, their Gaussian weights, and P(Y rounded to multiples of step | x) under correlation r."""
    x = np.linspace(-7, 7, 5601)
    middle = np.arange(-round(7 / step), round(7 / step) + 1) * step
    edges = np.append(middle - step / 2, middle[-1] + step / 2)
    channel = np.diff(norm.cdf((edges - r * x[:, None]) / np.sqrt(1 - r * r)), axis=1)
    return x, norm.pdf(x), channel


def of_one_rounded(r: float, step: float) -> float:
    """Return I(X; Y rounded to multiples of step) of Gaussians with correlation r."""
    _, weights, channel = rounded(r, step)
    return of_channel(weights, channel)


def of_both_rounded(r: float, step: float) -> float:
    """Return the mutual information of Gaussians with correlation r after both are rounded to multiples of step."""
    x, weights, channel = rounded(r, step)
    # A point on the edge between two cells counts half in each.
    scaled = np.round(x / step * 1000) / 1000
    lower, upper = np.ceil(scaled - 0.5).astype(int), np.floor(scaled + 0.5).astype(int)
    joint = np.zeros((upper.max() - lower.min() + 1, channel.shape[1]))
    for cell in (lower, upper):
        np.add.at(joint, cell - lower.min(), weights[:, None] / 2 * channel)
    return of_table(joint)
