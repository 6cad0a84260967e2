"""Which cue does a network use?

In the training data the color of a digit reveals its class. The report measures, on data where color and digit are
independent, how well each layer shows both: the network relies on the color.
"""

import matplotlib.pyplot as plt
import torch

from infoflow.data import colored_mnist, digits
from infoflow.models import Convolution, ConvolutionalNet
from infoflow.probes import shortcut

train, validation, test = (colored_mnist(part, digits=digits()) for part in ("train", "validation", "test"))
images, labels = train.images()
network = ConvolutionalNet((3, 8), [Convolution(8, 3), Convolution(16, 3, pool="max")], [16], seed=0)
optimizer = torch.optim.Adam(network.parameters(), 0.01)
for _ in range(80):
    loss = torch.nn.functional.cross_entropy(network(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

frame = shortcut(network, [validation, test]).frame
figure, axes = plt.subplots()
for factor, rows in frame.groupby("factor", sort=False):
    axes.plot(rows["layer"], rows["nats"], marker="o", label=factor)
axes.set(xlabel="layer", ylabel="I(T; factor), nats (lower bound)")
axes.legend()
