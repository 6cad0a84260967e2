"""Kernel estimators: kernel density and matrix-based Rényi entropy."""
