"""Deep InfoMax (Hjelm et al. 2019): objectives, coordinate tasks, occlusion."""

from __future__ import annotations

from infoflow.objectives.deep_infomax.build import Coordinates, Matching, deep_infomax_for, encoding_shapes
from infoflow.objectives.deep_infomax.coordinates import AbsoluteCoordinates, CoordinateTask, RelativeCoordinates
from infoflow.objectives.deep_infomax.encoding import Encoding, encode
from infoflow.objectives.deep_infomax.objective import DeepInfoMax
from infoflow.objectives.deep_infomax.occlusion import Occlusion

__all__ = [
    "AbsoluteCoordinates",
    "CoordinateTask",
    "Coordinates",
    "DeepInfoMax",
    "Encoding",
    "Matching",
    "Occlusion",
    "RelativeCoordinates",
    "deep_infomax_for",
    "encode",
    "encoding_shapes",
]
