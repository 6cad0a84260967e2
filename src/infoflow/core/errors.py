"""Exceptions for invalid input, unknown names, missing data and damaged files.

All derive from `InfoflowError`, so that a caller can separate invalid input from a fault in the library.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

_NOTHING: Any = object()
_LONGEST = 200
"""Characters of a `repr` that a message can hold."""


def _shown(value: object) -> str:
    """Return shape and type of an array, the name of the type where the `repr` is long, and otherwise the `repr`."""
    shape, dtype = getattr(value, "shape", ()), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and shape and dtype is not None:
        return f"shape {tuple(shape)} and dtype {dtype}"
    text = repr(value)
    return type(value).__name__ if "\n" in text or len(text) > _LONGEST else text


class InfoflowError(Exception):
    """Base class of every exception that infoflow raises on purpose.

    Examples
    --------
    >>> issubclass(InvalidArgument, InfoflowError), issubclass(BrokenStore, InfoflowError)
    (True, True)
    """


class InvalidArgument(InfoflowError, ValueError):
    """An argument has the wrong type, shape, range or content.

    Parameters
    ----------
    argument
        Name of the argument; or the whole message, where the sentence does not fit `must be ..., got ...`.
    must_be
        What was expected, as it reads after "must be".
    got
        The value that was passed, shown by its `repr`, an array by its shape.
    got_text
        Text shown instead of a `repr`, such as "shape (3, 2)".
    remedy
        A sentence on how to correct it.

    Attributes
    ----------
    argument : str or None
        Name of the argument, if known.

    Examples
    --------
    >>> raise InvalidArgument("k", "smaller than the number of samples (100)", 200)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: k must be smaller than the number of samples (100), got 200.
    """

    argument: str | None

    def __init__(
        self, argument: str, must_be: str = "", got: object = _NOTHING, *, got_text: str = "", remedy: str = ""
    ) -> None:
        if not must_be:
            super().__init__(argument)
            self.argument = None
            return
        shape = getattr(got, "shape", None) if hasattr(got, "__len__") else None
        value = got_text or ("" if got is _NOTHING else repr(got) if shape is None else f"shape {tuple(shape)}")
        sentence = f"{argument} must be {must_be}" + (f", got {value}." if value else ".")
        super().__init__(f"{sentence} {remedy}".rstrip())
        self.argument = argument


class TooFewSamples(InvalidArgument):
    """There are fewer samples than the method requires.

    Parameters
    ----------
    argument
        Name of the argument; or the whole message.
    must_be
        What was expected, as it reads after "must be".
    got
        The value that was passed, shown by its `repr`, an array by its shape.
    got_text
        Text shown instead of a `repr`.
    remedy
        A sentence on how to correct it.

    Examples
    --------
    >>> issubclass(TooFewSamples, InvalidArgument)
    True
    """


class UnknownName(InvalidArgument):
    """No estimator, layer, data set, option, ... has this name.

    Parameters
    ----------
    what
        What the name is of, such as "estimator".
    name
        The name that was passed.
    known
        Names that exist; the closest one is suggested.

    Examples
    --------
    >>> raise UnknownName("estimator", "bining", ["binning", "ksg"])
    Traceback (most recent call last):
    ...
    infoflow.core.errors.UnknownName: unknown estimator 'bining'. Did you mean 'binning'? Known: binning, ksg.
    """

    def __init__(self, what: str, name: object = _NOTHING, known: Iterable[str] = ()) -> None:
        if name is _NOTHING:  # unpickled: the message is complete
            super().__init__(what)
            return
        options = sorted(known)
        near = difflib.get_close_matches(str(name), options, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {what} {name!r}.{hint} Known: {', '.join(options) or 'none'}.")
        self.argument = what


class MissingData(InfoflowError, FileNotFoundError):
    """A data set or file does not exist where it was looked for.

    Examples
    --------
    >>> print(MissingData("no recording at 'run'"))
    no recording at 'run'
    """

    def __str__(self) -> str:  # FileNotFoundError would print errno forms
        return str(self.args[0]) if self.args else ""


class BrokenStore(InfoflowError):
    """A recording, checkpoint or data file is damaged, incomplete or of another version.

    Examples
    --------
    >>> raise BrokenStore("run/header.json is not valid JSON")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.BrokenStore: run/header.json is not valid JSON
    """


class MissingExtra(InfoflowError, ImportError):
    """An optional dependency is not installed; the message names the extra that installs it.

    Parameters
    ----------
    package
        Name of the dependency; or the whole message.
    extra
        Name of infoflow's extra that installs it.
    purpose
        What requires it, as the beginning of a sentence.

    Examples
    --------
    >>> print(MissingExtra("zuko", "flows", "A normalizing flow"))
    A normalizing flow requires zuko. Install it with: pip install 'infoflow[flows]'
    """

    def __init__(self, package: str, extra: str = "", purpose: str = "") -> None:
        if not extra:  # unpickled: the message is complete
            super().__init__(package)
            return
        super().__init__(f"{purpose} requires {package}. Install it with: pip install 'infoflow[{extra}]'")


class MissingProcess(InfoflowError, TimeoutError):
    """A process of the group did not take part in a collective; the message names it.

    Examples
    --------
    >>> issubclass(MissingProcess, TimeoutError)
    True
    """


class DidNotConverge(InfoflowError, ArithmeticError):
    """A fit or an iteration diverged, so that there is no number to return.

    Examples
    --------
    >>> issubclass(DidNotConverge, ArithmeticError)
    True
    """
