"""Exceptions that infoflow raises; all derive from `InfoflowError`."""

from infoflow.core.errors import (
    BrokenStore,
    DidNotConverge,
    InfoflowError,
    InvalidArgument,
    MissingData,
    MissingExtra,
    MissingProcess,
    TooFewSamples,
    UnknownName,
)

__all__ = [
    "BrokenStore",
    "DidNotConverge",
    "InfoflowError",
    "InvalidArgument",
    "MissingData",
    "MissingExtra",
    "MissingProcess",
    "TooFewSamples",
    "UnknownName",
]


def __dir__() -> list[str]:
    return list(__all__)
