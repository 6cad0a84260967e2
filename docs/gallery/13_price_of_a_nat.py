"""The price of a nat.

Networks with information dropout pay β for each nat that they transmit. A larger β leaves fewer nats; the labels above
the points are accuracies on held-out digits, which need few of them.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

from infoflow.data import digits
from infoflow.layers import InformationDropout, information_cost

inputs, labels = digits().tensors()
betas = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
nats, accuracies = [], []
for beta in betas:
    torch.manual_seed(0)
    model = nn.Sequential(InformationDropout(nn.Linear(64, 32)), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        batch = torch.randint(1400, (100,))
        loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch]) + beta * information_cost(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        accuracies.append((model.eval()(inputs[1400:]).argmax(1) == labels[1400:]).float().mean().item())
        nats.append(information_cost(model).item())

figure, axes = plt.subplots()
axes.loglog(betas, nats, marker="o")
for beta, height, accuracy in zip(betas, nats, accuracies, strict=True):
    axes.annotate(f"{accuracy:.1%}", (beta, height), xytext=(4, 6), textcoords="offset points", fontsize=8)
axes.set(xlabel="β, cost of a nat", ylabel="transmitted nats per digit (upper bound)")
