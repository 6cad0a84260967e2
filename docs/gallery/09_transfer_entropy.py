"""Which series drives the other, and how fast?

The second series follows the first after three steps. Transfer entropy is large at this lag and in this direction only.
"""

import matplotlib.pyplot as plt
import numpy as np

import infoflow

rng = np.random.default_rng(0)
source = rng.normal(size=1500)
target = np.zeros(1500)
for t in range(3, 1500):
    target[t] = 0.5 * target[t - 1] + np.tanh(2 * source[t - 3]) + 0.5 * rng.normal()

lags = range(1, 7)
there = [infoflow.transfer_entropy(source, target, lag=lag, estimator="ksg").nats for lag in lags]
back = [infoflow.transfer_entropy(target, source, lag=lag, estimator="ksg").nats for lag in lags]

figure, axes = plt.subplots()
axes.plot(lags, there, marker="o", label="source to target")
axes.plot(lags, back, marker="o", label="target to source")
axes.set(xlabel="lag", ylabel="transfer entropy, nats")
axes.legend()
