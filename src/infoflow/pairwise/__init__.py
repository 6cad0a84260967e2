"""Blocked reductions over all pairs of samples; the N×N matrix never stands in memory."""
