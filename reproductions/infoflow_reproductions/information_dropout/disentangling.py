"""Total correlation against β: All-CNN-32 at a quarter of its width with Softplus and the log-normal prior."""

from __future__ import annotations

from dataclasses import dataclass

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_dropout import figures
from infoflow_reproductions.information_dropout.cifar_trial import PUBLISHED, Settings, trial
from infoflow_reproductions.information_dropout.reporting import by, by_seed


@dataclass(frozen=True)
class Recipe:
    """As published, at several β."""

    settings: Settings = PUBLISHED
    width: float = 0.25
    betas: tuple[float, ...] = (0.1, 1.0, 3.0, 10.0)
    seeds: int = 3


RECIPES = {
    "smoke": Recipe(
        Settings(data="toy-colors", samples=300, epochs=1, milestones=(), batch_size=50), width=0.05,
        betas=(0.1, 1.0), seeds=2,
    ),
    "cpu": Recipe(
        Settings(samples=5_000, pool=2, epochs=6, milestones=(4,), batch_size=50), betas=(0.01, 0.1, 1.0)
    ),
    "full": Recipe(),
}  # fmt: skip


def trials(recipe: Recipe) -> list[Trial]:
    """One network for each β and seed."""
    return [
        trial(recipe.settings, method="information", activation="softplus", width=recipe.width, beta=beta, seed=seed)
        for beta in recipe.betas
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Total correlation, nats and error against β."""
    betas = list(recipe.betas)
    found = {key: by(results, key, "beta", betas) for key in ("total_correlation", "nats", "test_error")}
    rows = [Row(f"total correlation of log z, β = {beta:g}", found["total_correlation"][beta], "nats")
            for beta in betas]  # fmt: skip
    rows += [Row(f"−log|Σ₀⁻¹Σ|, the paper's form, β = {beta:g}", [2 * v for v in found["total_correlation"][beta]],
                 "nats") for beta in betas]  # fmt: skip
    rows += [Row(f"nats per image, all layers, β = {beta:g}", found["nats"][beta], "nats") for beta in betas]
    rows += [Row(f"test error, β = {beta:g}", found["test_error"][beta], "%") for beta in betas]
    claims = [
        Claim.falling("The total correlation of the last dropout layer falls with β",
                      by_seed(results, "total_correlation", "beta", betas)),
        Claim.falling("The total KL falls with β", by_seed(results, "nats", "beta", betas)),
    ]  # fmt: skip
    pictures = [
        Figure(
            "total_correlation_against_beta", "Total correlation of log z at the last dropout layer (Gaussian, over "
            "its units; samples are places of test images), the nats that pass, and the test error. Dots are seeds, "
            "bars the 95 % interval of their mean.",
            lambda canvas: (canvas.set_size_inches(9.5, 3.6), figures.beside(  # type: ignore[func-returns-value]
                canvas,
                [({"total correlation": found["total_correlation"]}, "total correlation (nats)", False),
                 ({"all layers": found["nats"]}, "nats per image", True),
                 ({"test": found["test_error"]}, "test error (%)", False)],
                xlabel="β",
            ))[1],
        )
    ]  # fmt: skip
    return Findings(rows, claims, pictures, [
        "The paper's formula −log|Σ₀⁻¹Σ| is twice the total correlation in nats; both are given. It shows a curve, "
        "without numbers.",
    ])  # fmt: skip


EXPERIMENT = Experiment(
    "information-dropout", "disentangling", "Information dropout: total correlation against β, CIFAR-10", RECIPES,
    trials, report,
)  # fmt: skip
