"""The networks, and many of one shape stacked into one."""

from infoflow.models.after_activations import after_activations
from infoflow.models.backbone import Backbone, torchvision_encoder
from infoflow.models.convolutional import Convolution, ConvolutionalNet, LeNet5
from infoflow.models.dcgan import DCGANDecoder, DCGANDiscriminator
from infoflow.models.deep_infomax import AlexNetEncoder, ConvolutionalEncoder, MapAndVector, example_batch
from infoflow.models.mlp import ACTIVATIONS, INITIALIZATIONS, MLP
from infoflow.models.stack import Stacked, StackedLinear, stack, unstack
from infoflow.models.vision import ADAPTATIONS, vision_network

__all__ = [
    "ACTIVATIONS",
    "ADAPTATIONS",
    "INITIALIZATIONS",
    "MLP",
    "AlexNetEncoder",
    "Backbone",
    "Convolution",
    "ConvolutionalEncoder",
    "ConvolutionalNet",
    "DCGANDecoder",
    "DCGANDiscriminator",
    "LeNet5",
    "MapAndVector",
    "Stacked",
    "StackedLinear",
    "after_activations",
    "example_batch",
    "stack",
    "torchvision_encoder",
    "unstack",
    "vision_network",
]
