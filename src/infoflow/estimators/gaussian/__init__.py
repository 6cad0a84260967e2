"""Gaussian estimators: canonical correlations and the Gaussian copula."""
