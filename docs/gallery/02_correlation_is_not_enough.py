"""Dependence that correlation misses.

Eight pairs of variables. Correlation measures linear dependence only; mutual information is positive wherever one
variable informs about the other, and close to zero for independent ones.
"""

import matplotlib.pyplot as plt
import numpy as np

import infoflow

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, 600)
noise = 0.1 * rng.normal(size=600)
angle = np.pi * x
pairs = {
    "line": (x, x + noise),
    "steps": (x, np.round(2 * x) + noise),
    "parabola": (x, x**2 + noise),
    "sine": (x, np.sin(6 * x) + noise),
    "circle": (np.cos(angle) + noise, np.sin(angle) + rng.permutation(noise)),
    "cross": (x, x * rng.choice([-1, 1], 600) + noise),
    "fan": (x, (x + 1) * rng.normal(size=600)),
    "independent": (x, rng.uniform(-1, 1, 600)),
}
figure, panels = plt.subplots(2, 4, figsize=(9, 4.6), layout="constrained")
for axes, (name, (a, b)) in zip(panels.flat, pairs.items(), strict=True):
    nats = infoflow.mutual_information(a, b, "ksg:k=10").nats
    axes.scatter(a, b, s=2)
    axes.set(xticks=[], yticks=[], title=f"{name}\ncorrelation {np.corrcoef(a, b)[0, 1]:.2f}\n{nats:.2f} nats")
