"""Achille and Soatto: Information dropout: learning optimal representations through noisy computation (TPAMI 2018)."""

from __future__ import annotations

from infoflow_reproductions.information_dropout import cifar, cluttered, disentangling, flow, mlp, occluded, vae

EXPERIMENTS = {
    module.EXPERIMENT.name: module.EXPERIMENT for module in (mlp, cifar, cluttered, occluded, vae, disentangling, flow)
}
