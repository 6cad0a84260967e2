"""Bias of few samples, and how to remove it.

Counted symbols seem to depend on each other because the sample is small. The bias falls as 1/N, so that estimates of
subsamples lie on a line, whose intercept is free of it. The two variables here are independent.
"""

import matplotlib.pyplot as plt
import numpy as np

from infoflow.estimators import Discrete, extrapolate

rng = np.random.default_rng(0)
x, y = rng.integers(8, size=(2, 2000))
found = extrapolate(Discrete(), x, y)
print(f"plug-in of all samples: {Discrete().estimate(x, y).nats:.4f} nats, extrapolated: {found.estimate:.4f} nats")

figure, axes = plt.subplots()
found.plot(axes)
