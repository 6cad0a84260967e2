"""The networks, and many of one shape stacked into one."""

from infoflow.models.mlp import ACTIVATIONS, INITIALISATIONS, MLP
from infoflow.models.small_cnn import SmallCNN
from infoflow.models.stack import Stacked, StackedLinear, stack, unstack
from infoflow.models.vision import ADAPTATIONS, vision_network

__all__ = [
    "ACTIVATIONS",
    "ADAPTATIONS",
    "INITIALISATIONS",
    "MLP",
    "SmallCNN",
    "Stacked",
    "StackedLinear",
    "stack",
    "unstack",
    "vision_network",
]
