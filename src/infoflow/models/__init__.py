"""Networks that experiments and probes of several subpackages share, and many of one shape stacked into one.

Networks are here if the library itself uses them, or if users of more than one method need them:

- `MLP` and `stack`: the information plane trains many seeds of one fully connected network at once.
- `ConvolutionalNet`, `after_activations`: the classifiers of the information-plane literature, and the
  variants with noise, quantization or normalization.
- `ConvolutionalEncoder`: an encoder that returns a map and a vector, for Deep InfoMax and the probes.
- `Backbone`, `torchvision_encoder`: any other network in the role of such an encoder.
- `DCGANDecoder`: the reconstruction probe decodes features with it.

Networks that only one paper needs are in the package `infoflow_reproductions`. Initial parameters are drawn from a
`seed` (see `seeded`), so that torch's global random state stays as it was.
"""

from __future__ import annotations

from infoflow.models.after_activations import after_activations
from infoflow.models.backbone import Backbone, torchvision_encoder
from infoflow.models.convolutional import Convolution, ConvolutionalNet
from infoflow.models.dcgan import DCGANDecoder
from infoflow.models.deep_infomax import ConvolutionalEncoder
from infoflow.models.mlp import ACTIVATIONS, INITIALIZATIONS, MLP
from infoflow.models.seeded import seeded
from infoflow.models.stack import Stacked, StackedLinear, stack, unstack

__all__ = [
    "ACTIVATIONS",
    "INITIALIZATIONS",
    "MLP",
    "Backbone",
    "Convolution",
    "ConvolutionalEncoder",
    "ConvolutionalNet",
    "DCGANDecoder",
    "Stacked",
    "StackedLinear",
    "after_activations",
    "seeded",
    "stack",
    "torchvision_encoder",
    "unstack",
]


def __dir__() -> list[str]:
    return __all__
