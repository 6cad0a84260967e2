"""A representation without labels.

Deep InfoMax trains an encoder to share information with every location of an inner map of the same image. The bound
rises, and neighbors in the representation share their digit, although no label was used.
"""

import matplotlib.pyplot as plt
import torch
from sklearn.decomposition import PCA

from infoflow.data import digits
from infoflow.models import ConvolutionalEncoder
from infoflow.objectives import deep_infomax_for

torch.manual_seed(0)
images, labels = digits().images()
encoder = ConvolutionalEncoder((1, 8, 8), widths=(16, 32), local=0, units=64, features=16)
objective = deep_infomax_for(encoder, images[:4], gamma=0.0, bound="infonce")
optimizer = torch.optim.Adam(objective.parameters(), 1e-3)
values = []
for _ in range(150):
    loss = objective(images[torch.randint(len(images), (128,))])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    values.append(objective.terms["local"].item())

with torch.no_grad():
    vectors = encoder.eval()(images)[1]
points = PCA(2).fit_transform(vectors.numpy())
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.plot(values)
left.set(xlabel="step", ylabel="local InfoNCE, nats")
right.scatter(*points.T, c=labels, cmap="tab10", s=4)
right.set(title="representation, by digit", xticks=[], yticks=[])
