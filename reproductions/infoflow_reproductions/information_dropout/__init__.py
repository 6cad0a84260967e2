"""Achille and Soatto: Information dropout: learning optimal representations through noisy computation (TPAMI 2018)."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.information_dropout import (
    cifar,
    claims_over_beta,
    claims_over_size,
    cluttered,
    mlp,
    notes,
    settings,
    sizes,
    statements,
    sweeps,
    vae,
)

_OF_FIGURES = {
    "mlp": claims_over_size.of_mlp,
    "cifar": claims_over_size.of_cifar,
    "cluttered": claims_over_beta.of_cluttered,
    "occluded": claims_over_beta.of_occluded,
    "vae": claims_over_size.of_vae,
    "disentangling": claims_over_beta.of_disentangling,
    "flow": claims_over_beta.of_flow,
    "sizes": claims_over_size.of_sizes,
}

# Of results that were stored when a second function made this claim as well.
_SUPERSEDED = {"flow": ("the last dropout layer transmits less information",)}

EXPERIMENTS = {
    experiment.name: replace(
        settings.with_settings(experiment),
        sentences=statements.SENTENCES.get(experiment.name, ()),
        of_figures=_OF_FIGURES[experiment.name],
        superseded=_SUPERSEDED.get(experiment.name, ()),
        remarks=lambda settings: notes.remarks(settings["experiment"]),
    )
    for experiment in (
        mlp.EXPERIMENT,
        cifar.EXPERIMENT,
        cluttered.EXPERIMENT,
        sweeps.OCCLUDED,
        vae.EXPERIMENT,
        sweeps.DISENTANGLING,
        sweeps.FLOW,
        sizes.EXPERIMENT,
    )
}

__all__ = ["EXPERIMENTS"]
