"""Layer by layer: uncovering hidden representations in language models (Skean et al. 2025, arXiv 2502.02013)."""

from __future__ import annotations

from infoflow_reproductions.layer_by_layer.depth import DEPTH

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = {DEPTH.name: DEPTH}
