"""The page of a profile: pictures, warnings and table in one file without scripts."""

from __future__ import annotations

import html
import io
import re
from importlib.resources import files
from typing import TYPE_CHECKING

from infoflow.profiles.figures import curves

if TYPE_CHECKING:
    from infoflow.profiles.result import Profile


def render(profile: Profile, title: str) -> str:
    """The page as text; names are escaped."""
    n = " / ".join(str(count) for count in sorted(profile.frame["n"].unique()))
    warned: dict[str, list[str]] = {}
    for layer, quantity, texts in zip(
        profile.frame["layer"], profile.frame["quantity"], profile.frame["warnings"], strict=True
    ):
        for text in texts:
            warned.setdefault(text, []).append(f"{layer}, {quantity}")
    listed = "".join(
        f"<li>{html.escape(text)} <span>({html.escape('; '.join(dict.fromkeys(where)))})</span></li>"
        for text, where in warned.items()
    )
    parts = {
        "title": html.escape(title),
        "summary": html.escape(
            f"{len(profile.layers)} layers, {len(profile.quantities)} quantities, from {n} rows of activations. Solid: "
            "value with two standard errors; dotted: the value that shuffled labels give; dashed: the largest value "
            "possible."
        ),
        "style": (files("infoflow.profiles") / "assets" / "profile.css").read_text(encoding="utf-8"),
        "pictures": "".join(_picture(profile, quantity) for quantity in profile.quantities),
        "warnings": f"<ul>{listed}</ul>" if listed else "<p>None.</p>",
        "table": profile.frame.drop(columns="warnings").to_html(
            index=False, float_format="{:.4g}".format, escape=True, border=0, na_rep="–"
        ),
    }
    template = (files("infoflow.profiles") / "assets" / "profile.html").read_text(encoding="utf-8")
    return re.sub(r"<!--\[(\w+)\]-->", lambda found: parts[found[1]], template)


def _picture(profile: Profile, quantity: str) -> str:
    """The curve of one quantity as an inline drawing."""
    import matplotlib as mpl

    rows = profile.select(quantity)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": quantity}):
        figure = curves(profile, [quantity], None).get_figure(root=True)
        assert figure is not None
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawing = buffer.getvalue()
    kinds = ", ".join(dict.fromkeys(rows["kind"]))
    return (
        f"<figure>{drawing[drawing.index('<svg') :]}<figcaption>{html.escape(quantity)}: {html.escape(kinds)}"
        "</figcaption></figure>"
    )
