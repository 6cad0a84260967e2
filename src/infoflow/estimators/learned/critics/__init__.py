"""Estimates by critics: `Neural` with any bound of pairs, and total correlation."""
