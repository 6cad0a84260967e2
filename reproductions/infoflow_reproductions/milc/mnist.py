"""The comparison on MNIST."""

from __future__ import annotations

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.milc.comparison import Recipe, report, trials

MNIST = Experiment(
    "milc",
    "mnist",
    "Mutual-information-learned classifiers on MNIST",
    {
        "smoke": Recipe(
            "digits", ("mlp",), epochs=2, batch_size=64, size=1000, control_size=800, held_out=200, seeds=2,
            multiples=(1.0, 30.0), rivals=("lsr", "ncmi"), regime_multiples=(1.0,), smaller="a smoke test on digits",
        ),
        "cpu": Recipe("mnist", ("mlp",), epochs=77, batch_size=512, size=60_000, control_size=50_000, held_out=10_000),
        "full": Recipe(
            "mnist", ("mlp", "cnn"), epochs=77, batch_size=512, size=60_000, control_size=50_000, held_out=10_000,
            seeds=5, regime_multiples=(1.0, 3.0, 10.0, 30.0),
        ),
    },
    trials,
    report,
)  # fmt: skip
