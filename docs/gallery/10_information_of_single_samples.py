"""Information of single samples.

Pointwise mutual information shows which samples carry the dependence: here the two clusters, while samples between
them have values near zero or below.
"""

import matplotlib.pyplot as plt
import numpy as np

import infoflow

rng = np.random.default_rng(0)
side = rng.choice([-1, 1], 1500)
together = rng.random(1500) < 0.7
x = np.where(together, 2 * side, 0) + rng.normal(size=1500)
y = np.where(together, 2 * side, 0) + rng.normal(size=1500)
nats = infoflow.pointwise_mutual_information(x, y, estimator="ksg")

figure, axes = plt.subplots()
points = axes.scatter(x, y, c=nats, s=6, cmap="coolwarm", vmin=-2, vmax=2)
figure.colorbar(points, label="nats")
axes.set(xlabel="x", ylabel="y", title=f"mean {np.mean(nats):.2f} nats")
