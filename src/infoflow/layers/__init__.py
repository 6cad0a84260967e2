"""Layers that limit, and tell, how much information passes: drop them into any network."""

from __future__ import annotations

from infoflow.layers.batch_norm import reestimate_batch_norm
from infoflow.layers.cost import every_pass, forget_costs, information_cost
from infoflow.layers.dropouts import BernoulliDropout, GaussianDropout
from infoflow.layers.information_dropout import InformationDropout
from infoflow.layers.stochastic import StochasticLayer, noise, sampled_outputs, stochastic_layers

__all__ = [
    "BernoulliDropout",
    "GaussianDropout",
    "InformationDropout",
    "StochasticLayer",
    "every_pass",
    "forget_costs",
    "information_cost",
    "noise",
    "reestimate_batch_norm",
    "sampled_outputs",
    "stochastic_layers",
]
