"""A critic learns the information of two variables.

A bound on mutual information is a loss: training a critic makes the bound tight. InfoNCE rises to the truth from below
and never exceeds the logarithm of the batch size.
"""

import math

import matplotlib.pyplot as plt
import torch

from infoflow import bounds
from infoflow.critics import Separable

torch.manual_seed(0)
r = 0.8
critic = Separable(5, 5, hidden=(64,), seed=0)
optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3)
values = []
for _ in range(500):
    x = torch.randn(256, 5)
    y = r * x + math.sqrt(1 - r**2) * torch.randn(256, 5)
    nats = bounds.infonce(*critic.scores(x, y))
    optimizer.zero_grad()
    (-nats).backward()
    optimizer.step()
    values.append(nats.item())

figure, axes = plt.subplots()
axes.plot(values, linewidth=0.8, label="InfoNCE on each batch")
axes.axhline(-2.5 * math.log(1 - r**2), color="black", label="truth")
axes.axhline(math.log(256), color="C1", linestyle="--", label="log of the batch size")
axes.set(xlabel="step", ylabel="nats")
axes.legend()
