"""Redundancy and synergy.

Two bits inform about a third variable: by the same content (copy), each on its own (both), only together (exclusive
or), or by a mixture (and). Partial information decomposes the total.
"""

import matplotlib.pyplot as plt
import numpy as np

import infoflow

a, b = np.random.default_rng(0).integers(2, size=(2, 4000))
gates = {"copy": (a, a, a), "both": (a, b, 2 * a + b), "exclusive or": (a, b, a ^ b), "and": (a, b, a & b)}
parts = {name: infoflow.partial_information(*variables) for name, variables in gates.items()}

figure, axes = plt.subplots()
bottom = np.zeros(len(gates))
for label in ("redundant", "unique_1", "unique_2", "synergistic"):
    heights = np.array([getattr(part, label) for part in parts.values()]) / np.log(2)
    axes.bar(list(gates), heights, bottom=bottom, label=label)
    bottom += heights
axes.set(ylabel="bits")
axes.legend()
