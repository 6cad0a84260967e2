"""The information plane of a small network.

A tanh network learns digits while its activations are recorded. The entropy of the binned activations is on the
horizontal axis, the information about the label on the vertical one; each curve is a layer, from early to late.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

import infoflow

torch.manual_seed(0)
inputs, labels = infoflow.data.digits().tensors()
model = nn.Sequential(nn.Linear(64, 12), nn.Tanh(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
with infoflow.plane.record(model, inputs[:800], labels[:800], store="run", output=lambda z: z.softmax(-1)) as recorder:
    for epoch in range(81):
        if epoch in (0, 1, 2, 4, 8, 16, 32, 80):
            recorder.snapshot(epoch)
        for batch in torch.randperm(len(inputs)).split(100):
            loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

plane = infoflow.plane.analyse("run", ["binning:width=0.5"])
table = plane.frame.pivot_table(index=["layer", "epoch"], columns="axis", values="nats").reset_index()
figure, axes = plt.subplots()
for layer, rows in table.groupby("layer", sort=False):
    axes.plot(rows["input"], rows["label"], marker="o", label=f"layer {layer}")
axes.set(xlabel="H(Q(T)), nats", ylabel="I(Q(T);Y), nats")
axes.legend()
