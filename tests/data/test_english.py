"""The text that ships with Python: plain, the same every time, and split by document."""

from __future__ import annotations

from infoflow.data.english import Document, english, held_out


def test_text_is_plain_and_the_same_every_time() -> None:
    documents = english(modules=["json", "random"])
    assert documents == english(modules=["json", "random"])
    names = [document.name for document in documents]
    assert len(set(names)) == len(names)
    assert {"module random", "module json.decoder", "topic if"} <= set(names)
    assert all(letter == "\n" or " " <= letter <= "~" for document in documents for letter in document.text)


def test_docstrings_are_those_that_python_shows() -> None:
    import random

    (document,) = [each for each in english(modules=["random"]) if each.name == "module random"]
    assert random.Random.shuffle.__doc__ is not None
    assert random.Random.shuffle.__doc__.strip().splitlines()[0] in document.text


def test_split_is_by_document_and_depends_on_names_alone() -> None:
    documents = [Document(f"module {number}", "x" * 300) for number in range(200)]
    train, test = held_out(documents)
    assert {*train, *test} == {*documents}
    assert not {*train} & {*test}
    assert held_out(documents[::-1])[1] == test[::-1]
