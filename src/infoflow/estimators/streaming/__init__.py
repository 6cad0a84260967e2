"""Accumulators: information and geometry of activations that pass by in batches and are never stored."""
