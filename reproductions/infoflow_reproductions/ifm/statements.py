"""Where the paper states the claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "table3": (
        ("texture above 90 %", "section 4.4, first paragraph: baselines reach above 95 % on the texture; Table 3"),
        ("digit below 20 %", "section 4.4, first paragraph: baselines are slightly above 10 % on the digit; Table 3"),
        ("sum", "section 4.3: the optimum is about 50 % of each"),
        ("", "section 4.4, second paragraph: digit accuracies are much higher than that of the baseline; Table 3"),
    ),
}
"""Experiment -> parts of claims and the places of their sentences."""
