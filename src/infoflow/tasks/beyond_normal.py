"""The forty tasks of *Beyond normal* (Czyż et al., NeurIPS 2023) under their names there."""

from __future__ import annotations

from typing import Any

from infoflow.core.protocols import Task
from infoflow.tasks.gaussian import bivariate, dense, sparse
from infoflow.tasks.student import student
from infoflow.tasks.transforms import Asinh, Bimodal, HalfCube, Map, NormalCDF, Spiral, SwissRoll, Transformed, Wiggly
from infoflow.tasks.uniform import AdditiveUniform

# (amplitude, frequency, phase)
_WAVES_X = ((0.4, 1.0, 0.0), (0.2, 1.7, 1.0), (0.03, 3.3, -2.5))
_WAVES_Y = ((-0.4, 0.4, 0.0), (0.17, 1.3, 3.5), (0.02, 4.3, -2.5))


def _both(prefix: str, base: Any, mapping: Map) -> Transformed:
    return Transformed(f"{prefix}-{base.name}", base, mapping, mapping)


def _spiral(base: Any, dim: int) -> Transformed:
    return Transformed(f"spiral-{base.name}", base, Spiral(0, 1, 1 / dim), Spiral(1, 2, 1 / dim))


def _one_dimensional() -> list[Task]:
    pair = bivariate(0.75)
    uniform = _both("normal_cdf", pair, NormalCDF())
    cauchy = student(1, 1, 1)
    return [
        pair,
        uniform,
        AdditiveUniform(0.1),
        AdditiveUniform(0.75),
        Transformed("1v1-bimodal-0.75", uniform, Bimodal(0.3, 0.0, 5.0), Bimodal(0.5, -1.0, 3.0)),
        Transformed(f"wiggly-{pair.name}", pair, Wiggly(_WAVES_X), Wiggly(_WAVES_Y)),
        _both("half_cube", pair, HalfCube()),
        cauchy,
        _both("asinh", cauchy, Asinh()),
        Transformed(f"swissroll_x-{uniform.name}", uniform, SwissRoll()),
    ]


def _many_dimensional() -> list[Task]:
    heavy = [student(*shape) for shape in ((2, 2, 1), (2, 2, 2), (3, 3, 2), (3, 3, 3), (5, 5, 2), (5, 5, 3))]
    bases = {dim: sparse(dim) for dim in (3, 5, 25)}
    uniform = {dim: _both("normal_cdf", base, NormalCDF()) for dim, base in bases.items()}
    return [
        *(dense(dim) for dim in (2, 3, 5, 25, 50)),
        *(sparse(dim) for dim in (2, 3, 5, 25)),
        *heavy,
        *uniform.values(),
        *(_both("half_cube", base, HalfCube()) for base in bases.values()),
        *(_spiral(base, dim) for dim, base in bases.items()),
        *(_spiral(base, dim) for dim, base in uniform.items()),
        *(_both("asinh", heavy[i], Asinh()) for i in (0, 2, 4)),
    ]


BEYOND_NORMAL: tuple[Task, ...] = (*_one_dimensional(), *_many_dimensional())
