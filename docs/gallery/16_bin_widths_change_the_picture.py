"""Bin widths change the picture.

The same recording of a saturating tanh layer, analyzed with four bin widths. Whether the entropy of the binned
activations falls depends on the width, so a trend at one width alone supports no conclusion.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

import infoflow

torch.manual_seed(0)
inputs, labels = infoflow.data.digits().tensors()
model = nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
with infoflow.plane.record(model, inputs[:1000], labels[:1000], store="run", layers=["3"]) as recorder:
    for epoch in range(61):
        if epoch % 5 == 0 or epoch < 5:
            recorder.snapshot(epoch)
        for batch in torch.randperm(len(inputs)).split(100):
            loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

widths = [1.0, 0.5, 0.2, 0.02]
figure, axes = plt.subplots()
for width in widths:
    frame = infoflow.plane.analyse("run", [f"binning:width={width}"]).frame
    rows = frame[frame["axis"] == "input"]
    axes.plot(rows["epoch"], rows["nats"], marker="o", markersize=3, label=f"width {width}")
axes.axhline(rows["ceiling"].max(), color="black", linewidth=0.8, label="log N")
axes.set(xlabel="epoch", ylabel="H(Q(T)) of the last tanh layer, nats")
axes.legend(fontsize=8)
