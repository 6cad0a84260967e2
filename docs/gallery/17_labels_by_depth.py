"""What each layer holds about the label.

A classifier that is trained on a layer gives a lower bound on I(T;Y), whatever the width of the layer. The hidden
layers of the trained network hold almost all of H(Y); those of an untrained one hold less with depth.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import torch
from torch import nn

import infoflow

inputs, labels = infoflow.data.digits().tensors()


def network(steps):
    """A network after so many steps of training."""
    torch.manual_seed(0)
    sizes = [64, 32, 16, 8, 4]
    blocks = [nn.Sequential(nn.Linear(a, b), nn.Tanh()) for a, b in pairwise(sizes)]
    model = nn.Sequential(*blocks, nn.Linear(4, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


figure, axes = plt.subplots()
for name, steps in {"untrained": 0, "trained": 300}.items():
    model, t, found = network(steps), inputs, []
    for block in model:
        t = block(t).detach()
        found.append(infoflow.mutual_information(t, labels, "classifier-bound").nats)
    axes.plot(range(1, 6), found, marker="o", label=name)
axes.axhline(torch.log(torch.tensor(10.0)), color="black", linewidth=0.8, label="H(Y)")
axes.set(xlabel="layer", ylabel="I(T;Y), nats (lower bound)", xticks=range(1, 6))
axes.legend()
