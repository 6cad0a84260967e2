"""Networks that experiments and probes of several subpackages share, and many of one shape stacked into one.

Networks are here if the library itself uses them, or if users of more than one method need them:

- `MLP` and `stack`: the information plane trains many seeds of one fully connected network at once.
- `ConvolutionalNet`, `LeNet5`, `after_activations`: the classifiers of the information-plane literature, and the
  variants with noise, quantization or normalization.
- `ConvolutionalEncoder`, `AlexNetEncoder`: encoders that return a map and a vector, for Deep InfoMax and the probes.
- `Backbone`, `torchvision_encoder`: any other network in the role of such an encoder.
- `DCGANDecoder`: the reconstruction probe decodes features with it. `DCGANDiscriminator`: its counterpart, for
  adversarial objectives.
- `vision_network`: networks of torchvision, adapted to small images.

Networks that only one paper needs are in the package `infoflow_reproductions`. Initial parameters are drawn from a
`seed` (see `seeded`), so that torch's global random state stays as it was.
"""

from __future__ import annotations

from infoflow.models.after_activations import after_activations
from infoflow.models.backbone import Backbone, torchvision_encoder
from infoflow.models.convolutional import Convolution, ConvolutionalNet, LeNet5
from infoflow.models.dcgan import DCGANDecoder, DCGANDiscriminator
from infoflow.models.deep_infomax import AlexNetEncoder, ConvolutionalEncoder
from infoflow.models.mlp import ACTIVATIONS, INITIALIZATIONS, MLP
from infoflow.models.seeded import seeded
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
    "Stacked",
    "StackedLinear",
    "after_activations",
    "seeded",
    "stack",
    "torchvision_encoder",
    "unstack",
    "vision_network",
]


def __dir__() -> list[str]:
    return __all__
