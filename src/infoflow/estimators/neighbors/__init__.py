"""Nearest-neighbor estimators: KSG, mixed, with classes, Kozachenko-Leonenko."""
