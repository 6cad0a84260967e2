"""Achille and Soatto: Information dropout: learning optimal representations through noisy computation (TPAMI 2018)."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.information_dropout import cifar, cluttered, mlp, settings, sizes, statements, sweeps, vae

_OF_FIGURES = {
    "cluttered": statements.of_cluttered,
    "disentangling": statements.of_disentangling,
    "occluded": statements.of_occluded,
    "sizes": statements.units_of_second_layer,
    "flow": statements.second_transmits_less,
}

EXPERIMENTS = {
    experiment.name: replace(
        settings.with_settings(experiment),
        sentences=statements.SENTENCES[experiment.name],
        of_figures=_OF_FIGURES.get(experiment.name),
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
