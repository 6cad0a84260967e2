"""Data sets: what they refuse, and how they are cut."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.data import DATASETS, Dataset, digits, load, split, szt


def toy(n: int = 10) -> Dataset:
    return Dataset("toy", np.arange(n * 4, dtype=np.uint8).reshape(n, 2, 2), np.arange(n) % 3, classes=3, scale=4.0)


def test_szt_labels_are_those_of_the_original_file() -> None:
    data = szt()
    assert data.labels.dtype == np.uint8
    assert hashlib.md5(data.labels.tobytes()).hexdigest() == "a62d55540c93348930e20a6b7c1e1f7f"
    assert int(data.labels.sum()) == 2118


def test_szt_inputs_count_from_0_with_the_most_significant_bit_first() -> None:
    inputs = szt().inputs
    assert inputs.shape == (4096, 12)
    assert inputs.dtype == np.uint8
    assert [int("".join(map(str, row)), 2) for row in inputs] == list(range(4096))


def test_szt_agrees_with_the_second_form_of_its_rule() -> None:
    edges = (
        "0-1 0-3 0-5 0-10 0-11 1-2 1-3 1-4 1-11 2-3 2-4 2-8 2-9 3-8 3-10 4-6 4-9 4-11 5-6 5-7 5-10 5-11 6-7 6-9 6-11"
    )
    edges += " 7-8 7-9 7-10 8-9 8-10"
    antipodes = "0-9 1-7 2-5 3-6 4-10 8-11"

    def pairs(text: str, row: np.ndarray) -> int:
        return sum(int(row[int(a)]) * int(row[int(b)]) for a, b in (pair.split("-") for pair in text.split()))

    data = szt()
    for index in range(0, 4096, 7):
        row = data.inputs[index]
        w = int(row.sum())
        value = 114 * w - 11 * w**2 + 24 * pairs(edges, row) - 12 * pairs(antipodes, row)
        assert data.labels[index] == (value > 429)


def test_tensors_are_flat_float32_scaled_and_int64() -> None:
    x, y = toy().tensors()
    assert x.shape == (10, 4)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert x[1].tolist() == [1.0, 1.25, 1.5, 1.75]


def test_digits_fill_their_range() -> None:
    x, y = digits().tensors()
    assert (float(x.min()), float(x.max())) == (0.0, 1.0)
    assert torch.bincount(y).numel() == 10


def test_the_digest_follows_content_shape_and_labels() -> None:
    data = toy()
    assert data.digest == toy().digest
    assert data.digest != data.subset(range(9)).digest
    assert data.digest != Dataset("toy", data.inputs, (data.labels + 1) % 3, classes=3).digest
    assert data.digest != Dataset("toy", data.inputs.reshape(10, 4), data.labels, classes=3).digest


@given(n=st.integers(2, 40), fraction=st.floats(0.05, 0.95), seed=st.one_of(st.none(), st.integers(0, 99)))
@settings(max_examples=40)
def test_a_split_parts_the_samples_and_whole_has_them_all(n: int, fraction: float, seed: int | None) -> None:
    cut = int(n * fraction)
    if not 0 < cut < n:
        with pytest.raises(InvalidArgument, match="train_fraction"):
            split(toy(n), train_fraction=fraction, seed=seed)
        return
    parts = split(toy(n), train_fraction=fraction, seed=seed)
    assert (len(parts.train), len(parts.test)) == (cut, n - cut)
    rows = [tuple(row.ravel()) for row in parts.whole.inputs]
    in_order = [tuple(row.ravel()) for row in toy(n).inputs]
    assert sorted(rows) == sorted(in_order)
    if seed is None:
        assert rows == in_order


def test_a_split_is_the_same_for_the_same_seed_and_leaves_global_random_state_alone() -> None:
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    assert load("digits", split_seed=3).train.digest == load("digits", split_seed=3).train.digest
    assert load("digits", split_seed=3).train.digest != load("digits", split_seed=4).train.digest
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_the_szt_protocol_trains_on_the_first_3276_rows() -> None:
    parts = load("szt", split_seed=None)
    assert (parts.train.inputs == szt().inputs[:3276]).all()
    assert (parts.test.labels == szt().labels[3276:]).all()


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'fashion-mnist'"):
        load("fashion_mnist")
    assert {"szt", "digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "colored-mnist"} < set(DATASETS)


@pytest.mark.parametrize(
    ("inputs", "labels", "told"),
    [
        (np.zeros((3, 2)), np.zeros(4, int), "^inputs and labels must hold the same"),
        (np.zeros((0, 2)), np.zeros(0, int), "at least one"),
        (np.zeros((3, 2)), np.zeros(3), "^labels must be integer classes"),
        (np.zeros((3, 2)), np.array([0, 1, 5]), "0..4|0..1 for 2 classes"),
        (np.zeros((3, 2)), np.array([0, 1, -1]), "-1"),
        (np.zeros(3), np.zeros(3, int), "^inputs must be"),
        (np.array([["a"], ["b"]]), np.zeros(2, int), "^inputs must be real numbers"),
    ],
)
def test_what_is_no_data_set_is_refused(inputs: np.ndarray, labels: np.ndarray, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        Dataset("bad", inputs, labels, classes=2)


@pytest.mark.parametrize("indices", [[], [10], [-1], [0.5], [[0]]])
def test_a_subset_of_what_is_not_there_is_refused(indices: list) -> None:
    with pytest.raises(InvalidArgument, match="indices"):
        toy().subset(indices)


def test_factors_go_with_their_samples() -> None:
    inputs = np.arange(12).reshape(6, 2)
    data = Dataset("toy", inputs, np.zeros(6, int), classes=1, factors={"nuisance": np.arange(6), "box": inputs * 2})
    chosen = data.subset([4, 1])
    assert chosen.factors["nuisance"].tolist() == [4, 1]
    assert chosen.factors["box"].tolist() == [[16, 18], [4, 6]]
    assert data.digest != Dataset("toy", inputs, np.zeros(6, int), classes=1).digest
    parts = split(data, seed=3)
    assert (parts.whole.factors["box"] == 2 * parts.whole.inputs).all()


@pytest.mark.parametrize("factor", [np.zeros(5), np.array(list("abcdef")), np.array(0)])
def test_a_factor_that_fits_no_samples_is_refused(factor: np.ndarray) -> None:
    with pytest.raises(InvalidArgument, match="factor 'hue'"):
        Dataset("toy", np.zeros((6, 2)), np.zeros(6, int), classes=1, factors={"hue": factor})


def test_images_have_a_channel_axis() -> None:
    gray = Dataset("gray", np.full((2, 4, 5), 255, np.uint8), np.array([0, 1]), classes=2, scale=255.0)
    images, labels = gray.images()
    assert images.shape == (2, 1, 4, 5)
    assert images.unique().tolist() == [1.0]
    assert labels.tolist() == [0, 1]
    with pytest.raises(InvalidArgument, match="must be images"):
        Dataset("flat", np.zeros((2, 4)), np.array([0, 1]), classes=2).images()


def test_representations_are_short() -> None:
    parts = split(digits())
    assert repr(parts) == "Split('digits', train 1437, test 360, uint8 of shape (8, 8), 10 classes)"
    assert repr(parts.test) == "Dataset('digits', 360 samples, uint8 of shape (8, 8), 10 classes)"
    assert "Split(&#x27;digits&#x27;" in parts._repr_html_()
    assert "scikit-learn" in parts.train._repr_html_()
