"""Estimators for channels whose noise is known."""
