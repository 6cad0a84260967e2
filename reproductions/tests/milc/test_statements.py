"""Claims on losses that follow from the figures of a table, and the places of their sentences."""

from __future__ import annotations

import pytest
from infoflow_reproductions import Verdict, experiments
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.milc.published import TABLE_2, TABLE_3
from infoflow_reproductions.milc.statements import best_of_others, no_regularizer_improves


def test_only_the_papers_variants_decide_its_claim() -> None:
    means = {
        "cross-entropy": 0.9,
        "label smoothing": 0.91,
        "confidence penalty": 0.92,
        "confidence penalty, weighted": 0.96,
        "NCMI": 0.99,
        "mutual information, λ = 50": 0.95,
    }
    figures = {f"mlp: {name}": Sample(mean, 0.002, 4) for name, mean in means.items()}
    variants, others = best_of_others(figures, TABLE_2)
    assert variants.text == (
        "mlp: at the paper's learning rate and λ it outperforms the best of the paper's variants, confidence penalty"
    )
    assert variants.published
    assert variants.holds is True
    assert others.text == "mlp: at the paper's learning rate and λ it outperforms the best other loss, NCMI"
    assert not others.published
    assert others.holds is False
    few = {name: sample for name, sample in figures.items() if "NCMI" not in name and "weighted" not in name}
    assert [claim.published for claim in best_of_others(few, TABLE_2)] == [True]
    assert best_of_others({"mlp: cross-entropy": Sample(0.9, 0.1, 3)}, TABLE_2) == []
    assert not any(claim.published for claim in best_of_others(figures, TABLE_3))  # Table 3 has no perceptron


@pytest.mark.parametrize(
    ("smoothed", "verdict"),
    [(0.904, Verdict.REPRODUCED), (0.91, Verdict.INCONCLUSIVE), (0.92, Verdict.DIFFERS)],
)
def test_an_improvement_of_a_point_or_more_counts(smoothed: float, verdict: Verdict) -> None:
    # Of four seeds each the difference has the error 0.001 and an interval of ± 0.0024.
    error = 0.001 * 2**0.5
    figures = {"mlp: cross-entropy": Sample(0.9, error, 4), "mlp: label smoothing": Sample(smoothed, error, 4)}
    (claim,) = no_regularizer_improves(figures, TABLE_2)
    assert claim.text == "mlp: label smoothing improves on cross-entropy by less than one point"
    assert claim.published
    assert claim.verdict is verdict
    (control,) = no_regularizer_improves(figures, TABLE_3)
    assert not control.published


def test_places_name_the_figures_of_their_data_and_what_is_tested() -> None:
    of_mnist, of_cifar = (experiments("milc")[name].place for name in ("mnist-cnn", "cifar"))
    curves = "{}: very strong connection of mutual information and test error over training"
    assert of_mnist(curves.format("cnn")).endswith("Fig. 14 and 15")
    assert of_cifar(curves.format("resnet18")).endswith("Fig. 16 and 17")
    assert of_cifar(curves.format("cnn")).endswith("of which this is none")
    gain = "{}: at the paper's learning rate and λ mutual information learning outperforms cross-entropy"
    assert of_mnist(gain.format("cnn")).endswith("here any improvement; Table 2")
    assert of_cifar("resnet18: label smoothing improves on cross-entropy by less than one point").endswith(
        "here a point or more; Table 3"
    )
