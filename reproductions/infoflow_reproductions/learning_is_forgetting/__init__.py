"""Learning is forgetting: LLM training as lossy compression (Conklin et al. 2026, arXiv 2604.07569)."""

from __future__ import annotations

from infoflow_reproductions.learning_is_forgetting.pretraining import PRETRAINING

__all__ = ["EXPERIMENTS"]

EXPERIMENTS = {PRETRAINING.name: PRETRAINING}
