"""Bias and variance of bounds.

All bounds get the scores of the best critic, log p(y|x)/p(y). InfoNCE saturates at the logarithm of its candidates;
the others have no ceiling, but their variance grows with the information.
"""

import math

import matplotlib.pyplot as plt
import torch

from infoflow import bounds

generator = torch.Generator().manual_seed(0)
truths = torch.linspace(0.5, 10, 12)


def scores(nats, n=128, d=20):
    """Positive and negative scores of the optimal critic for Gaussians."""
    r = math.sqrt(1 - math.exp(-2 * nats / d))
    x = torch.randn(n, d, generator=generator)
    y = r * x + math.sqrt(1 - r**2) * torch.randn(n, d, generator=generator)
    distance = (y[None] - r * x[:, None]).square().sum(-1) / (1 - r**2)
    table = nats + (y.square().sum(-1) - distance) / 2
    return table.diagonal(), table[~torch.eye(n, dtype=bool)].view(n, n - 1)


figure, panels = plt.subplots(1, 4, figsize=(10, 3), sharey=True, layout="constrained")
for axes, name in zip(panels, ["infonce", "nwj", "donsker_varadhan", "smile"], strict=True):
    runs = torch.tensor([[getattr(bounds, name)(*scores(t.item())).item() for t in truths] for _ in range(10)])
    mean, spread = runs.mean(0), runs.std(0)
    axes.fill_between(truths, mean - spread, mean + spread, alpha=0.3)
    axes.plot(truths, mean)
    axes.plot(truths, truths, color="black", linewidth=0.8)
    axes.set(title=name, xlabel="truth, nats", ylim=(0, 14))
panels[0].set_ylabel("bound, nats")
