"""The networks, and many of one shape stacked into one."""

from infoflow.models.mlp import ACTIVATIONS, INITIALISATIONS, MLP
from infoflow.models.stack import Stacked, StackedLinear, stack, unstack

__all__ = ["ACTIVATIONS", "INITIALISATIONS", "MLP", "Stacked", "StackedLinear", "stack", "unstack"]
