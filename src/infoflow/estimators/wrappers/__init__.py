"""Estimators made of other estimators, intervals and permutation tests."""
