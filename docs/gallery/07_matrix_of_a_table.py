"""All pairs of columns at once.

Clustered heat map of the information between measurements of wines. Columns that stand together share information, so
that one of them is often enough.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine

import infoflow

table = load_wine(as_frame=True).data
matrix = infoflow.information_matrix(table, estimator="ksg")
figure, axes = plt.subplots(figsize=(6.4, 5.4))
matrix.plot(axes)
