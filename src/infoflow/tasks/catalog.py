"""All predefined tasks by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from infoflow.core.protocols import Task
from infoflow.core.settings import OneOf, check
from infoflow.tasks.beyond_normal import BEYOND_NORMAL
from infoflow.tasks.discrete import erasure_channel, symmetric_channel
from infoflow.tasks.gaussian import gaussian_with
from infoflow.tasks.images import bump_images, rectangle_images
from infoflow.tasks.mixed import BinaryGaussianMixture, GaussianWithAtoms, UniformOnClass, ZeroInflatedPoisson
from infoflow.tasks.mixture import clusters, cross

_MORE: tuple[Task, ...] = (
    gaussian_with(0.0, dim=2),
    gaussian_with(1.0, dim=5),
    gaussian_with(5.0, dim=5),
    gaussian_with(2.0, dim=250),
    cross(),
    clusters(),
    symmetric_channel(0.1),
    symmetric_channel(0.2, symbols=10),
    erasure_channel(0.25, symbols=4),
    UniformOnClass(5),
    ZeroInflatedPoisson(0.15),
    GaussianWithAtoms(),
    BinaryGaussianMixture(1.0, dim=1),
    BinaryGaussianMixture(4.0, dim=20),
    rectangle_images(2.0),
    bump_images(2.0),
)

CATALOG: Mapping[str, Task] = MappingProxyType({task.name: task for task in (*BEYOND_NORMAL, *_MORE)})


def find(name: str) -> Task:
    """Return a predefined task.

    Parameters
    ----------
    name
        One of the keys of `CATALOG`.

    Returns
    -------
    Task
        The task.

    Raises
    ------
    UnknownName
        If there is no such task; the closest name is suggested.

    Examples
    --------
    >>> find("1v1-normal-0.75").mutual_information
    0.413339
    """
    return CATALOG[check(name, "task", OneOf(tuple(CATALOG)))]
