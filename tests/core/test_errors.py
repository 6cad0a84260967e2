"""Messages of the exceptions, their attributes and their way through pickle."""

from __future__ import annotations

import inspect
import pickle

import pytest

from infoflow import errors
from infoflow.errors import InfoflowError, InvalidArgument, MissingData, MissingExtra, TooFewSamples, UnknownName

EXAMPLES: dict[str, InfoflowError] = {
    "value": InvalidArgument("k", "an integer >= 1", 0, remedy="Use k=3."),
    "sentence": InvalidArgument("x and y must hold the same number of samples, got 3 and 2."),
    "samples": TooFewSamples("x", "an array of at least 2 samples", got_text="1"),
    "name": UnknownName("estimator", "bining", ["binning", "ksg"]),
    "data": MissingData("no recording at 'run'"),
    "extra": MissingExtra("zuko", "flows", "A normalizing flow"),
}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InvalidArgument("k", "an integer >= 1", 0), "k must be an integer >= 1, got 0."),
        (InvalidArgument("k", "an integer", None), "k must be an integer, got None."),
        (InvalidArgument("x", "finite"), "x must be finite."),
        (InvalidArgument("x", "flat", got_text="shape (3, 2)"), "x must be flat, got shape (3, 2)."),
        (InvalidArgument("k", "odd", 2, remedy="Use k=3."), "k must be odd, got 2. Use k=3."),
    ],
)
def test_invalid_argument_states_expectation_value_and_remedy(error: InvalidArgument, message: str) -> None:
    assert str(error) == message
    assert error.argument == message.split()[0]


def test_a_whole_sentence_names_no_argument() -> None:
    error = InvalidArgument("x and y must hold the same number of samples, got 3 and 2.")
    assert error.argument is None
    assert str(error).endswith("got 3 and 2.")


def test_an_unknown_name_lists_all_names_and_suggests_a_close_one() -> None:
    error = UnknownName("layer", "frist", ["second", "first"])
    assert str(error) == "unknown layer 'frist'. Did you mean 'first'? Known: first, second."
    assert error.argument == "layer"
    assert "Did you mean" not in str(UnknownName("layer", "zzz", ["first"]))
    assert "Known: none." in str(UnknownName("layer", 3, []))


@pytest.mark.parametrize("name", EXAMPLES)
def test_exceptions_survive_pickling(name: str) -> None:
    error = EXAMPLES[name]
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_every_public_exception_derives_from_infoflow_error() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), InfoflowError)
        assert inspect.getdoc(getattr(errors, name))
    assert issubclass(InvalidArgument, ValueError)
    assert issubclass(MissingData, FileNotFoundError)
    assert issubclass(MissingExtra, ImportError)
