"""What a user can get wrong, said clearly.

Every error names the argument, what it was, and what is wanted. All derive from `InfoflowError`, so a caller
(the command line, say) can tell a fault in the input from a fault in the program.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InfoflowError(Exception):
    """The base of every error that infoflow raises on purpose.

    >>> issubclass(InvalidArgument, InfoflowError), issubclass(BrokenStore, InfoflowError)
    (True, True)
    """


class InvalidArgument(InfoflowError, ValueError):
    """An argument has a wrong type, shape, range or content.

    >>> issubclass(InvalidArgument, ValueError)
    True
    """


class TooFewSamples(InvalidArgument):
    """There are fewer samples than the method needs.

    >>> issubclass(TooFewSamples, InvalidArgument)
    True
    """


class UnknownName(InvalidArgument):
    """A name (of an estimator, layer, data set, option, ...) that doesn't exist.

    >>> raise UnknownName("estimator", "bining", ["binning", "ksg"])
    Traceback (most recent call last):
    ...
    infoflow.errors.UnknownName: unknown estimator 'bining'; did you mean 'binning'? Known: binning, ksg
    """

    def __init__(self, what: str, name: object, known: Iterable[str]) -> None:
        options = sorted(known)
        near = difflib.get_close_matches(str(name), options, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ";"
        super().__init__(f"unknown {what} {name!r}{hint} Known: {', '.join(options) or 'none'}")


class MissingData(InfoflowError, FileNotFoundError):
    """A data set or file is not where it was looked for.

    >>> print(MissingData("no recording at 'run'"))
    no recording at 'run'
    """

    def __str__(self) -> str:  # FileNotFoundError would print errno forms
        return str(self.args[0]) if self.args else ""


class BrokenStore(InfoflowError):
    """A recording, checkpoint or data file is damaged, incomplete or of another version.

    >>> raise BrokenStore("run/header.json is no JSON")
    Traceback (most recent call last):
    ...
    infoflow.errors.BrokenStore: run/header.json is no JSON
    """


class MissingExtra(InfoflowError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it.

    >>> print(MissingExtra("zuko", "flows", "a normalising flow"))
    a normalising flow needs zuko: pip install 'infoflow[flows]'
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'infoflow[{extra}]'")


class DidNotConverge(InfoflowError, ArithmeticError):
    """A fit or an iteration diverged, so there is no number worth returning.

    >>> issubclass(DidNotConverge, ArithmeticError)
    True
    """
