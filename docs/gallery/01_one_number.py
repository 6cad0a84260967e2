"""One number with its interval.

Mutual information measures any dependence: a noisy parabola has almost no correlation, and still x informs about y.
The estimate states its kind, its interval and the estimator that was chosen.
"""

import matplotlib.pyplot as plt
import numpy as np

import infoflow

rng = np.random.default_rng(0)
x = rng.normal(size=2000)
y = x**2 + 0.5 * rng.normal(size=2000)

estimate = infoflow.mutual_information(x, y, interval="subsampling")
correlation = np.corrcoef(x, y)[0, 1]
print(f"correlation {correlation:.2f}")
print(
    f"{estimate.nats:.2f} nats, {estimate.kind}, interval {estimate.interval.low:.2f} to {estimate.interval.high:.2f}"
)
print(estimate.estimator)

figure, axes = plt.subplots()
axes.scatter(x, y, s=4, alpha=0.5)
axes.set(xlabel="x", ylabel="y", title=f"I(X;Y) = {estimate.nats:.2f} nats, correlation {correlation:.2f}")
