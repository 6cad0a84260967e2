"""Blocked reductions over all pairs of samples; the N×N matrix is never in memory as a whole."""
