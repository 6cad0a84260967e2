"""Words about results follow from the results."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from infoflow_reproductions import Claim
from infoflow_reproductions.harness import summary
from infoflow_reproductions.harness.found import Found
from infoflow_reproductions.harness.helping import helps
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.harness.paragraphs import PARAGRAPHS, choices
from infoflow_reproductions.harness.records import claim_of, record_of

from infoflow.core.errors import MissingData

RESULTS = Path(__file__).parents[2] / "results"


def stored(*claims: Claim, rows: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "folder": "toy/line",
        "settings": {"seeds": 8, "part": {"epochs": 4}},
        "claims": [record_of(claim) for claim in claims],
        "rows": [{"what": what, "found": 12.34} for what in rows],
    }


def test_words_follow_from_the_interval_and_from_the_number_of_claims() -> None:
    gain, loss = (
        Claim("gain", True, "", sample=Sample(3.0, 1.0, 8)),
        Claim("loss", False, "", sample=Sample(-3.0, 1.0, 8)),
    )
    barely, open_ = (
        Claim("barely", True, "", sample=Sample(1.0, 1.0, 8)),
        Claim("open", None, "", sample=Sample(0.1, 1.0, 8)),
    )
    found = Found([stored(gain, loss, barely, open_)])
    assert found.outcome("line", "gain").endswith(" (a gain)")
    assert found.outcome("line", "loss").endswith(" (a loss)")
    assert found.outcome("line", "barely").endswith(" (a gain; inconclusive with Holm)")
    assert found.outcome("line", "open").endswith(" (not significant)")
    assert not found.lasting("line", "barely")
    assert Found([stored(barely)]).lasting("line", "barely")


def test_figures_and_settings_are_found_by_name() -> None:
    found = Found([stored(rows=("a, last: digit",))])
    assert found.figure("line", "a, last: digit") == "12.3"
    assert found.setting("line", "epochs") == 4
    assert found.seeds("line") == "8 seeds"
    assert not found.has("line-cpu-published")
    for missing in (lambda: found.seeds("other"), lambda: found.better("line", "x"), lambda: found.figure("line", "x")):
        with pytest.raises(MissingData):
            missing()


def test_what_settings_were_chosen_among_follows_from_the_figures() -> None:
    rates = ("0.001", "0.003 (chosen on held-out images)")
    rows = [f"mlp, plain: cross-entropy, learning rate {rate}" for rate in rates]
    rows += [f"mlp, plain: mutual information, λ = 50, learning rate {rate}" for rate in rates]
    once = [f"mlp, plain: mutual information, λ = {weight}, learning rate 0.001" for weight in (5, 0.5)]
    uneven = Found([stored(rows=(*rows, *once, "cnn, plain: cross-entropy, learning rate 0.1"))])
    assert choices(uneven, "line", "mlp") == "cross-entropy with 2 learning rates, λ = 50 with 2, λ = 0.5 and 5 with 1"
    even = Found([stored(rows=tuple(rows))])
    assert choices(even, "line", "mlp") == "cross-entropy with 2 learning rates, λ = 50 with 2"


@pytest.fixture(scope="module")
def committed() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in summary.read(RESULTS):
        found.setdefault(one["settings"]["paper"], []).append(one)
    return found


def reversed_sign(record: Mapping[str, Any]) -> dict[str, Any]:
    claim = claim_of(record)
    if claim.sample is None:
        return dict(record)
    sample = replace(claim.sample, mean=abs(claim.sample.mean) + 1, deviation=1e-3, low=None, high=None)
    return record_of(replace(claim, sample=sample, holds=True))


def test_every_paper_has_its_paragraph(committed: dict[str, list[dict[str, Any]]]) -> None:
    for paper, summaries in committed.items():
        assert PARAGRAPHS[paper](Found(summaries))


def test_sentences_change_with_the_results(committed: dict[str, list[dict[str, Any]]]) -> None:
    before = helps({paper: Found(some) for paper, some in committed.items()})
    assert "a significant gain was found in 1 of 8 comparisons with a tuned baseline or no dropout" in before
    assert (
        "Against cross-entropy with a chosen learning rate, mutual information learning shows no gain in 4 " in before
    )
    binary = re.search(r"binary dropout with a chosen rate.*?\| ([-\d.]+ \[.*?\]) \| yes", before)
    assert binary is not None
    chosen = f"Against binary dropout with a chosen rate, information dropout gains {binary[1]} points."
    assert chosen in before  # as the line of the table states
    assert "| The same" not in before
    clear = {
        paper: Found([{**one, "claims": [reversed_sign(claim) for claim in one["claims"]]} for one in some])
        for paper, some in json.loads(json.dumps(committed)).items()
    }
    after = helps(clear)
    assert re.search(r"a significant gain was found in (\d+) of \1 comparisons", after)
    assert "mutual information learning gains " in after
    assert "both priors gain" in after
    assert "(not significant)" not in after
    assert "**Without labels, training helped" in after
    assert "not significant" not in PARAGRAPHS["milc"](clear["milc"])


def test_a_network_near_its_published_size_is_named_once_it_ran(committed: dict[str, list[dict[str, Any]]]) -> None:
    found = {paper: Found(some) for paper, some in committed.items()}
    small = [one for one in committed["milc"] if "cpu-published" not in one["folder"]]
    assert "have not been run here" in helps({**found, "milc": Found(small)})
    assert "Near the published size" not in PARAGRAPHS["milc"](Found(small))
    text = "shufflenet_v2: at the paper's settings mutual information learning outperforms cross-entropy"
    large = {
        "folder": "milc/cifar-cpu-published",
        "settings": {"seeds": 1, "epochs": 100, "networks": ["shufflenet_v2"]},
        "claims": [record_of(Claim.above(text, [-3.0], unit="percentage points"))],
        "rows": [
            {"what": f"shufflenet_v2: {loss}", "found": value, "published": published}
            for loss, value, published in (("cross-entropy", 0.5, 0.604), ("mutual information, λ = 50", 0.47, 0.677))
        ],
    }
    both = Found([*small, large])
    page = helps({**found, "milc": both})
    assert "have not been run here" not in page
    assert "| -3 (one seed) | one seed does not show it |" in page
    claims, large["claims"] = large["claims"], [record_of(Claim.above(text, [-3.0, -5.0]).judged_anytime())]
    page_of_two = helps({**found, "milc": Found([*small, large])})
    assert "| -4 (2 seeds) | 2 seeds do not show it |" in page_of_two
    large["claims"] = claims
    paragraph = PARAGRAPHS["milc"](both)
    assert (
        "the difference is -3 (one seed) at the paper's learning rate and λ (47.0 %, published 67.7 %, against 50.0 %, "
        "published 60.4 %)" in paragraph
    )
    assert "has not been run at this size" in paragraph
    assert "without the control that chooses the learning rate" in page
    chosen = (
        "shufflenet_v2: with learning rate and λ chosen on held-out images (0.001, 50) it outperforms cross-entropy"
    )
    large["claims"].append(record_of(Claim.above(chosen, [-4.0], unit="percentage points")))
    large["rows"] += [
        {"what": f"shufflenet_v2, plain: {loss}, learning rate {rate}", "found": 0.5, "published": math.nan}
        for loss in ("cross-entropy", "mutual information, λ = 50")
        for rate in ("0.001", "0.01")
    ]
    with_control = Found([*small, large])
    for shown in (helps({**found, "milc": with_control}), PARAGRAPHS["milc"](with_control)):
        assert "-4 (one seed) with " in shown
        assert "chosen on held-out images (cross-entropy with 2 learning rates, λ = 50 with 2)" in shown


def test_a_loss_on_one_network_is_named_beside_the_gain_on_another(committed: dict[str, list[dict[str, Any]]]) -> None:
    found = {paper: Found(some) for paper, some in committed.items()}
    loss = found["milc"].difference("mnist-cnn", "at the paper's learning rate and λ mutual information learning outp")
    assert loss.startswith("-")
    assert f" {loss} (a loss) for a convolutional network on 5,000 images of MNIST. " in PARAGRAPHS["milc"](
        found["milc"]
    )
    assert f"5,000 images of MNIST, small CNN ([milc](milc/README.md#milc-mnist-cnn)) | {loss} | no |" in helps(found)


def test_the_flow_at_the_size_of_its_paper_is_named_as_far_as_it_ran(
    committed: dict[str, list[dict[str, Any]]],
) -> None:
    found = {paper: Found(some) for paper, some in committed.items()}
    small = [one for one in committed["ifm"] if "cpu-published" not in one["folder"]]
    assert "At the paper's size" not in PARAGRAPHS["ifm"](Found(small))
    assert "at the paper's size:" not in helps({**found, "ifm": Found(small)})
    figures = {"cross-entropy": ((12.5, 12.44), (96.0, 95.07)), "IFM as published": ((11.0, 54.54), (97.0, 40.41))}
    words = "IFM as published recognizes the digit better than cross-entropy alone, epoch chosen by the digit"
    large = {
        "folder": "ifm/table3-cpu-published",
        "settings": {
            "seeds": 1,
            "size": 32,
            "counts": [48_000, 12_000, 10_000],
            "epochs": 20,
            "shorter": [["exchange", 10]],
        },
        "claims": [record_of(Claim.above(words, [-1.5], unit="points"))],
        "rows": [
            {"what": f"{name}, best digit: {factor}", "found": value, "published": published}
            for name, pair in figures.items()
            for factor, (value, published) in zip(("digit", "texture"), pair, strict=True)
        ],
    }
    paragraph = PARAGRAPHS["ifm"](Found([*small, large]))
    assert (
        "At the paper's size (32×32 pixels, 48,000 images, 1 seed), with the epoch chosen by the digit, cross-entropy "
        "recognizes 12.5 % of the digits (published 12.4) and 96.0 % of the textures (published 95.1) and the flow as "
        "published 11.0 % of the digits (published 54.5) and 97.0 % of the textures (published 40.4), a difference of "
        "-1.5 (one seed) points in digit accuracy." in paragraph
    )
    large["claims"] += [
        record_of(Claim.above(f"{name} (smaller accuracy, epoch 10)", [gain], unit="points", published=False))
        for name, gain in (
            ("the exchange of statistics alone retains both cues better than cross-entropy", 20.0),
            ("the flow improves on the exchange", 0.5),
        )
    ]
    both = Found([*small, large])
    assert (
        "; after 10 epochs of both, the exchange changes the smaller of the two accuracies by 20 (one seed) points "
        "against cross-entropy; the flow adds 0.5 (one seed) points to it." in PARAGRAPHS["ifm"](both)
    )
    page = helps({**found, "ifm": both})
    assert page.count("at the paper's size: digit accuracy, epoch chosen by the digit (") == 1
    assert page.count("at the paper's size: smaller of the two accuracies, after 10 epochs of both (") == 2
    assert (
        "At the paper's size, after 10 epochs of both, the first difference is 20 (one seed) points and the second 0.5 "
        "(one seed)." in page
    )


def test_words_on_the_exchange_follow_from_its_gain(committed: dict[str, list[dict[str, Any]]]) -> None:
    small = [one for one in committed["ifm"] if "cpu-published" not in one["folder"]]
    others = [one for one in small if one["folder"] != "ifm/table3"]
    (table,) = (one for one in small if one["folder"] == "ifm/table3")

    def paragraph(mean: float) -> str:
        claims = [
            record_of(replace(claim, sample=Sample(mean, 1.0, 9)))
            if (claim := claim_of(record)).text.startswith("the exchange of statistics alone")
            else record
            for record in table["claims"]
        ]
        return PARAGRAPHS["ifm"](Found([*others, {**table, "claims": claims}]))

    assert "raises the smaller of the two accuracies at the last epoch by 5 " in paragraph(5.0)
    assert ") points over cross-entropy; the flow adds" in paragraph(5.0)
    assert "changes the smaller of the two accuracies at the last epoch by -5 " in paragraph(-5.0)
    assert ") points against cross-entropy; the flow adds" in paragraph(-5.0)
