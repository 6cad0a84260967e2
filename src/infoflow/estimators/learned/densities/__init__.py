"""Estimates by densities, for large information: they do not have the ceiling of lower bounds near log n."""
