"""Recipes, trials, claims, verdicts and the pages that show them."""
