"""Is the dependence significant?

The estimate of 150 samples is compared with estimates of shuffled samples, which are independent by construction.
Only the first of the two pairs lies beyond them.
"""

import matplotlib.pyplot as plt
import numpy as np

import infoflow

rng = np.random.default_rng(0)
x = rng.normal(size=150)
pairs = {"dependent": x + 2 * rng.normal(size=150), "independent": rng.normal(size=150)}

figure, panels = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
for axes, (name, y) in zip(panels, pairs.items(), strict=True):
    estimate = infoflow.mutual_information(x, y, "ksg", permutations=199)
    shuffled = [infoflow.mutual_information(x, rng.permutation(y), "ksg").nats for _ in range(199)]
    axes.hist(shuffled, bins=25, color="lightgray", label="shuffled")
    axes.axvline(estimate.nats, color="C1", label=f"estimate, p = {estimate.p_value:.3f}")
    axes.set(title=name, xlabel="nats")
    axes.legend(loc="upper right", fontsize=8)
