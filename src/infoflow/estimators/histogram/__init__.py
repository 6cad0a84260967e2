"""Estimators that count symbols or bins."""
