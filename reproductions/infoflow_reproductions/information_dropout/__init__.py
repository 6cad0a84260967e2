"""Achille and Soatto: Information dropout: learning optimal representations through noisy computation (TPAMI 2018)."""

from __future__ import annotations

from infoflow_reproductions.information_dropout import cifar, cluttered, mlp, sweeps, vae

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        mlp.EXPERIMENT,
        cifar.EXPERIMENT,
        cluttered.EXPERIMENT,
        sweeps.OCCLUDED,
        vae.EXPERIMENT,
        sweeps.DISENTANGLING,
        sweeps.FLOW,
    )
}

__all__ = ["EXPERIMENTS"]
