"""The networks, and many of one shape stacked into one."""

from infoflow.models.backbone import Backbone, torchvision_encoder
from infoflow.models.dcgan import DCGANDecoder, DCGANDiscriminator
from infoflow.models.deep_infomax import AlexNetEncoder, ConvolutionalEncoder, MapAndVector, example_batch
from infoflow.models.mlp import ACTIVATIONS, INITIALISATIONS, MLP
from infoflow.models.small_cnn import SmallCNN
from infoflow.models.stack import Stacked, StackedLinear, stack, unstack
from infoflow.models.vision import ADAPTATIONS, vision_network

__all__ = [
    "ACTIVATIONS",
    "ADAPTATIONS",
    "INITIALISATIONS",
    "MLP",
    "AlexNetEncoder",
    "Backbone",
    "ConvolutionalEncoder",
    "DCGANDecoder",
    "DCGANDiscriminator",
    "MapAndVector",
    "SmallCNN",
    "Stacked",
    "StackedLinear",
    "example_batch",
    "stack",
    "torchvision_encoder",
    "unstack",
    "vision_network",
]
