"""Estimators that train a model: critics, densities, classifiers."""
