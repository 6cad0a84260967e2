"""The information plane of a ResNet.

A small residual network learns digits. Gaussian noise of stated variance is added to every layer: I(X;T+ε) against
I(T+ε;Y) for each block, from the first snapshot to the last.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

import infoflow


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))

    def forward(self, x):
        return torch.relu(x + self.body(x))


torch.manual_seed(0)
images, labels = infoflow.data.digits().images()
model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), Block(), Block(), Block(), nn.Flatten(), nn.Linear(512, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
with infoflow.plane.record(
    model, images[:500], labels[:500], store="run", layers=["1", "2", "3", "output"]
) as recorder:
    for step in range(121):
        if step % 20 == 0:
            recorder.snapshot(step)
        batch = torch.randint(len(images), (100,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()

frame = infoflow.plane.analyse("run", ["kernel-density:variance=1"]).frame
figure, axes = plt.subplots()
for layer, rows in frame.groupby("layer", sort=False):
    curve = rows.pivot_table(index="epoch", columns="axis", values="nats")
    axes.plot(curve["input"], curve["label"], marker="o", label=f"layer {layer}")
axes.set(xlabel="I(X;T+ε), nats (upper bound)", ylabel="I(T+ε;Y), nats")
axes.legend()
