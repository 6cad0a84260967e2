"""Estimators that are fitted on one part of the samples and report on another: critics, densities, a classifier."""
