"""The paper's sentences on overfitting: training loss of cross-entropy, and its gap of training and test accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.harness.seeds import seed_count
from infoflow_reproductions.milc.learning_curves import Seeds
from infoflow_reproductions.milc.recipe import AT_PAPERS

EXTREMELY_SMALL = 0.05
"""Training loss in nats from which it counts as extremely small, for which the paper gives no number."""


def overfitting(network: str, ours: Seeds, base: Seeds, *, published: bool = True) -> list[Claim]:
    """Return the claims that cross-entropy overfits.

    Parameters
    ----------
    network
        Name of the network.
    ours, base
        Runs of mutual information learning and cross-entropy, seed by seed.
    published
        Whether the network is one of the paper's.

    Returns
    -------
    list of Claim
        That the training loss of cross-entropy is below `EXTREMELY_SMALL`, and that its training accuracy exceeds its
        test accuracy by more than that of mutual information learning does. None without measurements on training
        images, or where a run diverged.
    """
    if not all("train_conditional_entropy" in one for one in (*ours, *base)):
        return []
    # The threshold is an upper one, so that the test is on the negative loss.
    losses = [float(one["train_conditional_entropy"]) for one in base]
    below = Sample.of([-loss for loss in losses], -EXTREMELY_SMALL)
    evidence = f"training loss {Sample.of(losses).text()} nats, required below {EXTREMELY_SMALL:g}"
    evidence += f" over {seed_count(below.n)}" if below.n > 1 else ""
    small = (
        f"{network}: at the paper's learning rate cross-entropy's training loss is extremely small (below "
        f"{EXTREMELY_SMALL:g} nats)"
    )
    wider = [_gap(other) - _gap(mine) for mine, other in zip(ours, base, strict=True)]
    more = (
        f"{network}: {AT_PAPERS} cross-entropy overfits more than mutual information learning (training less test "
        "accuracy)"
    )
    return [
        Claim(small, below.above, evidence, published, sample=below),
        Claim.above(more, wider, unit="percentage points", published=published),
    ]


def _gap(run: Mapping[str, Any]) -> float:
    return 100 * (float(run["train_accuracy"]) - float(run["test_accuracy"]))
