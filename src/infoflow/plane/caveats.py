"""What a plane drawn with each estimator can and cannot show: the paragraph below the plane on the report page."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _caveats() -> dict[str, str]:
    """Paragraphs by the estimator's class name, and the general one."""
    text = (files("infoflow.plane") / "assets" / "caveats.toml").read_text(encoding="utf-8")
    return {name: paragraph.strip() for name, paragraph in tomllib.loads(text).items()}


def caveat(estimator: str) -> str:
    """The paragraph on what a plane drawn with this estimator can and cannot show.

    Parameters
    ----------
    estimator
        Name from the plane's table, such as "Binning(width=0.07)". An estimator without a paragraph of its own gets the
        general one.

    Returns
    -------
    str
        One paragraph of plain text.

    Examples
    --------
    >>> caveat("Binning(width=0.07)")[:40]
    'Each activation is rounded to a bin, and'
    >>> caveat("SomeOther()") == caveat("Another()")
    True
    """
    known = _caveats()
    return known.get(estimator.partition("(")[0].strip(), known["general"])
