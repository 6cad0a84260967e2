"""Layers for any network that limit the information that passes and measure it in nats."""

from __future__ import annotations

from infoflow.layers.batch_norm import reestimate_batch_norm
from infoflow.layers.cost import forget_costs, information_cost
from infoflow.layers.dropouts import BernoulliDropout, GaussianDropout, GaussianNoise
from infoflow.layers.information_dropout import InformationDropout
from infoflow.layers.insertion import InsertedDropout, insert_information_dropout, remove_information_dropout
from infoflow.layers.quantized_activation import QuantizedActivation
from infoflow.layers.stochastic import StochasticLayer, noise, sampled_outputs, stochastic_layers
from infoflow.layers.variational_dropout import (
    VariationalDropout,
    VariationalWeightDropout,
    variational_dropout_divergence,
)

__all__ = [
    "BernoulliDropout",
    "GaussianDropout",
    "GaussianNoise",
    "InformationDropout",
    "InsertedDropout",
    "QuantizedActivation",
    "StochasticLayer",
    "VariationalDropout",
    "VariationalWeightDropout",
    "forget_costs",
    "information_cost",
    "insert_information_dropout",
    "noise",
    "reestimate_batch_norm",
    "remove_information_dropout",
    "sampled_outputs",
    "stochastic_layers",
    "variational_dropout_divergence",
]


def __dir__() -> list[str]:
    return list(__all__)
