"""The networks, and many of one shape stacked into one."""

from infoflow.models.after_activations import after_activations
from infoflow.models.all_cnn import AllCNN, all_cnn_32, all_cnn_96
from infoflow.models.backbone import Backbone, torchvision_encoder
from infoflow.models.convolutional import Convolution, ConvolutionalNet, LeNet5
from infoflow.models.dcgan import DCGANDecoder, DCGANDiscriminator
from infoflow.models.deep_infomax import AlexNetEncoder, ConvolutionalEncoder, MapAndVector, example_batch
from infoflow.models.dropout_mlp import DropoutMLP
from infoflow.models.flow_classifier import FLOW_PAIRS, FlowClassifier
from infoflow.models.infinite import InfiniteEnsemble, Kernels
from infoflow.models.mlp import ACTIVATIONS, INITIALISATIONS, MLP
from infoflow.models.noisy import DROPOUTS, noisy_layer
from infoflow.models.small_cnn import SmallCNN
from infoflow.models.stack import Stacked, StackedLinear, stack, unstack
from infoflow.models.vae import LATENTS, VariationalAutoencoder
from infoflow.models.vision import ADAPTATIONS, vision_network

__all__ = [
    "ACTIVATIONS",
    "ADAPTATIONS",
    "DROPOUTS",
    "FLOW_PAIRS",
    "INITIALISATIONS",
    "LATENTS",
    "MLP",
    "AlexNetEncoder",
    "AllCNN",
    "Backbone",
    "Convolution",
    "ConvolutionalEncoder",
    "ConvolutionalNet",
    "DCGANDecoder",
    "DCGANDiscriminator",
    "DropoutMLP",
    "FlowClassifier",
    "InfiniteEnsemble",
    "Kernels",
    "LeNet5",
    "MapAndVector",
    "SmallCNN",
    "Stacked",
    "StackedLinear",
    "VariationalAutoencoder",
    "after_activations",
    "all_cnn_32",
    "all_cnn_96",
    "example_batch",
    "noisy_layer",
    "stack",
    "torchvision_encoder",
    "unstack",
    "vision_network",
]
