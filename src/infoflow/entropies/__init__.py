"""Entropies as plain functions of counts, samples or covariances."""
