"""Which units transmit information.

With information dropout each unit has noise of its own, and so a number of nats of its own. After training with a price
per nat the units differ widely, and some transmit nothing.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

from infoflow.data import digits
from infoflow.layers import InformationDropout, information_cost

torch.manual_seed(0)
inputs, labels = digits().tensors()
model = nn.Sequential(InformationDropout(nn.Linear(64, 32)), InformationDropout(nn.Linear(32, 16)), nn.Linear(16, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for _ in range(300):
    batch = torch.randint(1400, (100,))
    loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch]) + 0.001 * information_cost(model)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

figure, panels = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
with torch.no_grad():
    model(inputs[1400:])
    for axes, (name, nats) in zip(panels, information_cost(model, per="unit").items(), strict=True):
        axes.bar(range(len(nats)), nats.sort(descending=True).values)
        axes.set(title=f"layer {name}: {nats.sum():.1f} nats", xlabel="unit, sorted", ylabel="nats")
