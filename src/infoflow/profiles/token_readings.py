"""Numbers of the single tokens of a passage through training, for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infoflow.core.errors import InvalidArgument


@dataclass(frozen=True)
class TokenReadings:
    """Numbers in nats of each token of a passage, by step and name.

    Parameters
    ----------
    tokens
        Texts of the tokens.
    steps
        By step, by name such as "surprise of the model", one number for each token; NaN where there is none.
    title
        Origin of the passage.

    Raises
    ------
    InvalidArgument
        If the passage is empty or the numbers are not one for each token.

    Examples
    --------
    >>> TokenReadings(["a", "b"], {0: {"surprise": [float("nan"), 0.7]}}).names
    ['surprise']
    """

    tokens: Sequence[str]
    steps: Mapping[int, Mapping[str, Sequence[float]]]
    title: str = ""

    def __post_init__(self) -> None:
        if not self.tokens:
            raise InvalidArgument("tokens", "at least one", got_text="none")
        for step, named in self.steps.items():
            for name, values in named.items():
                if len(values) != len(self.tokens):
                    wanted = f"{len(self.tokens)} numbers for {name!r} at step {step}"
                    raise InvalidArgument("steps", wanted, got_text=str(len(values)))

    @property
    def names(self) -> list[str]:
        """Names of the numbers, in the order of their first step."""
        return list(dict.fromkeys(name for step in sorted(self.steps) for name in self.steps[step]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, None in place of NaN."""
        numbers = {
            str(step): {name: [_number(value) for value in values] for name, values in self.steps[step].items()}
            for step in sorted(self.steps)
        }
        return {"title": self.title, "tokens": list(self.tokens), "steps": numbers}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TokenReadings:
        """Return the readings that `to_dict` turned into plain values.

        Parameters
        ----------
        content
            What `to_dict` returned, after a passage through JSON.

        Returns
        -------
        TokenReadings
            The readings.
        """
        steps = {
            int(step): {
                name: [math.nan if value is None else float(value) for value in values]
                for name, values in named.items()
            }
            for step, named in content["steps"].items()
        }
        return cls(list(content["tokens"]), steps, str(content.get("title", "")))


def _number(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
