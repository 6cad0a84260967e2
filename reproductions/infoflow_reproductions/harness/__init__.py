"""Recipes, trials, claims and verdicts, and the pages that show them."""
