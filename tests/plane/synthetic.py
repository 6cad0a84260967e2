"""A plane made up from curves, for tests of what comes after the analysis: nothing in it was measured.

Two networks (tanh falls in depth, ReLU doesn't, both fall at the output), three hidden layers and the output,
three seeds, twelve epochs, two estimators; layers near log N are saturated, as real ones are.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from infoflow.plane import Plane

N = 1000
LOG_N = math.log(N)
LABEL_ENTROPY = math.log(2.0)
EPOCHS = [0, 1, 2, 4, 8, 15, 30, 60, 120, 250, 500, 1000]
SEEDS = [0, 1, 2]
ESTIMATORS = {
    "Binning(bins=30)": ("H(Q(T))", "I(Q(T);Y)", "plug-in", "plug-in", 0.0),
    "KernelDensity(variance=0.1)": ("I(X;T+ε)", "I(T+ε;Y)", "upper bound", "difference of bounds", 0.5),
}


def synthetic_plane(tanh: str = "tanh", relu: str = "relu") -> Plane:
    """The plane; the networks' names can be chosen (to see what a report makes of odd ones)."""
    generator = np.random.default_rng(0)
    rows = []
    metrics = []
    for network, fall in ((tanh, (0.0, 0.25, 0.5, 0.7)), (relu, (0.0, 0.0, 0.0, 0.5))):
        hidden = "tanh" if network == tanh else "relu"
        layers = [f"{hidden}{i + 1}" for i in range(3)] + ["output"]
        for seed in SEEDS:
            noise = generator.normal(0.0, 0.05, size=(len(EPOCHS), len(layers)))
            for step, epoch in enumerate(EPOCHS):
                time = step / (len(EPOCHS) - 1)
                fit = 1.0 - math.exp(-4.0 * time)
                for depth, layer in enumerate(layers):
                    start = LOG_N * (1.1 - 0.18 * depth)
                    peak = start * (1.0 + 0.05 * fit)
                    for label, (q_input, q_label, k_input, k_label, less) in ESTIMATORS.items():
                        information = peak * (1.0 - fall[depth] * max(0.0, time - 0.3) / 0.7) - less
                        information = min(max(information + noise[step, depth], 0.05), LOG_N)
                        relevant = min(LABEL_ENTROPY * (0.2 + 0.75 * fit) - 0.03 * depth, information)
                        for axis, quantity, kind, nats, ceiling, name in (
                            ("input", q_input, k_input, information, LOG_N, "log N"),
                            ("label", q_label, k_label, relevant, LABEL_ENTROPY, "H(Y)"),
                        ):
                            saturated = nats >= 0.99 * ceiling
                            rows.append(
                                {
                                    "network": network,
                                    "probe": "probe",
                                    "layer": layer,
                                    "depth": depth,
                                    "seed": seed,
                                    "epoch": epoch,
                                    "estimator": label,
                                    "axis": axis,
                                    "quantity": quantity,
                                    "kind": kind,
                                    "nats": nats,
                                    "ceiling": ceiling,
                                    "ceiling_name": name,
                                    "saturated": saturated,
                                    "low": math.nan,
                                    "high": math.nan,
                                    "spans": "",
                                    "n": N,
                                    "warnings": "at its ceiling log N; use more samples" if saturated else "",
                                }
                            )
                for metric, value in (
                    ("train_loss", 0.7 * math.exp(-3.0 * time)),
                    ("test_loss", 0.7 * math.exp(-2.0 * time)),
                    ("train_accuracy", 0.5 + 0.48 * fit),
                    ("test_accuracy", 0.5 + 0.44 * fit),
                ):
                    metrics.append(
                        {
                            "network": network,
                            "seed": seed,
                            "epoch": epoch,
                            "metric": metric,
                            "value": value + 0.01 * noise[step, 0],
                        }
                    )
    provenance = {
        "infoflow": "0.1.0",
        "estimators": list(ESTIMATORS),
        "recordings": {name: {"name": name, "user": {"data": "synthetic curves"}} for name in (tanh, relu)},
    }
    return Plane(pd.DataFrame(rows), pd.DataFrame(metrics), provenance)
