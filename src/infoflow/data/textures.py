"""Textures to put behind other things: photographs from the user's files, or generated ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from infoflow.core.checks import integer
from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData
from infoflow.data.roots import roots

Texture = np.ndarray[Any, Any]
"""An RGB image (height, width, 3), uint8."""

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def texture_files(root: str | Path | None = None) -> dict[str, list[Path]]:
    """The Describable Textures Dataset (or a part of it) in the user's files: category -> its images, both sorted.

    Looked for as `textures/dtd/CATEGORY/*.jpg` (png and webp too) below `root`, or else below `$INFOFLOW_DATA` and
    `~/.cache/infoflow`. Raises MissingData that says where to put which files.

    Cimpoi et al.: Describing textures in the wild, CVPR 2014.

    >>> texture_files("/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no textures in /nowhere/textures/dtd; ...
    """
    folders = [base / "textures" / "dtd" for base in roots(root)]
    for folder in folders:
        categories = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        files = {c.name: sorted(p for p in c.iterdir() if p.suffix.lower() in _SUFFIXES) for c in categories}
        files = {name: paths for name, paths in files.items() if paths}
        if files:
            return files
    raise MissingData(
        f"no textures in {' or '.join(map(str, folders))}; put the folders of the "
        "Describable Textures Dataset there (one a category, with its images), or take procedural_textures()"
    )


def draw_textures(
    classes: int = 10, *, seed: int = 0, root: str | Path | None = None, side: int = 128
) -> list[Texture]:
    """One photograph a class, each of another category of the Describable Textures Dataset, drawn by `seed`.

    Categories are shuffled, one image of each is drawn, cut to its central square and scaled to `side` pixels, so that
    a patch of 32 pixels shows some of the texture's pattern whatever the photograph's resolution.

    Raises MissingData (none at hand), BrokenStore (a file that can't be read), InvalidArgument (fewer categories than
    classes, numbers out of range).

    >>> draw_textures(root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no textures in ...
    """
    integer(classes, "classes")
    integer(side, "side")
    files = texture_files(root)
    if len(files) < classes:
        raise InvalidArgument(f"there are {len(files)} categories of textures for {classes} classes; want one a class")
    rng = np.random.default_rng(integer(seed, "seed", minimum=0))
    chosen = rng.permutation(sorted(files))[:classes]
    return [_read(files[str(name)][rng.integers(len(files[str(name)]))], side) for name in chosen]


def _read(path: Path, side: int) -> Texture:
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise BrokenStore(f"{path} can't be read as an image: {error}") from None
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    box = (left, top, left + edge, top + edge)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box))


def procedural_textures(classes: int = 10, *, seed: int = 0, side: int = 128) -> list[Texture]:
    """Generated textures: band-passed noise whose scale, direction and two colors differ from class to class.

    Each is Gaussian noise filtered to one band of spatial frequencies and directions, mapped to a line between two
    colors. Bands (4 to 16 pixels a wave) and directions are spread evenly over the classes; colors are drawn, and so
    overlap as those of photographs do. They tile without seams.

    Raises InvalidArgument (numbers out of range).

    >>> textures = procedural_textures(10, seed=0)
    >>> len(textures), textures[0].shape, textures[0].dtype
    (10, (128, 128, 3), dtype('uint8'))
    """
    integer(classes, "classes")
    integer(side, "side", minimum=8)
    rng = np.random.default_rng(integer(seed, "seed", minimum=0))
    fy, fx = np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij")
    radius, angle = np.hypot(fx, fy), np.arctan2(fy, fx)
    periods = rng.permutation(np.geomspace(4, min(16, side), classes))
    directions = rng.permutation(np.arange(classes) * math.pi / classes)
    textures = []
    for period, direction in zip(periods, directions, strict=True):
        band = np.exp(-0.5 * (np.log2(np.maximum(radius, 1e-9) * period) / 0.35) ** 2)
        turned = np.cos(angle - direction) ** 2  # waves run both ways, so half a turn is the whole circle
        field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((side, side))) * band * np.exp(4 * (turned - 1))).real
        share = 1 / (1 + np.exp(-2 * field / field.std()))
        dark, bright = rng.uniform(0, 140, 3), rng.uniform(60, 230, 3)
        textures.append(np.rint(dark + share[..., None] * (bright - dark)).astype(np.uint8))
    return textures


def random_patches(
    textures: Sequence[Texture], which: np.ndarray[Any, Any], size: int, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    """A random crop for every entry of `which`, the number of its texture: (n, 3, size, size) uint8.

    Raises InvalidArgument for textures of another form, smaller than the patch, or fewer than `which` asks for.

    >>> rng = np.random.default_rng(0)
    >>> random_patches(procedural_textures(2), np.array([0, 1, 1]), 32, rng).shape
    (3, 3, 32, 32)
    """
    integer(size, "size")
    wanted = int(which.max()) + 1 if len(which) else 0
    if len(textures) < wanted:
        raise InvalidArgument(f"there are {len(textures)} textures for {wanted} classes; want one a class")
    for i, texture in enumerate(textures):
        if texture.ndim != 3 or texture.shape[2] != 3 or texture.dtype != np.uint8:
            raise InvalidArgument(
                f"textures[{i}] has shape {texture.shape} and dtype {texture.dtype}; want RGB (height, width, 3), uint8"
            )
        if min(texture.shape[:2]) < size:
            raise InvalidArgument(
                f"textures[{i}] has {texture.shape[0]}×{texture.shape[1]} pixels; "
                f"want at least the patch's {size}×{size}"
            )
    patches = np.empty((len(which), 3, size, size), np.uint8)
    for number in range(wanted):
        (places,) = np.nonzero(which == number)
        texture = textures[number].transpose(2, 0, 1)
        windows = np.lib.stride_tricks.sliding_window_view(texture, (size, size), axis=(1, 2))
        tops = rng.integers(windows.shape[1], size=len(places))
        lefts = rng.integers(windows.shape[2], size=len(places))
        patches[places] = windows[:, tops, lefts].transpose(1, 0, 2, 3)
    return patches


def textures_at_hand(classes: int, *, seed: int, root: str | Path | None, side: int) -> tuple[list[Texture], str]:
    """Photographs where the user has some, else generated ones; and which they are.

    >>> textures_at_hand(10, seed=0, root="/nowhere", side=128)[1]
    'procedural textures, draw 0'
    """
    try:
        return draw_textures(classes, seed=seed, root=root, side=side), f"textures of DTD, draw {seed}"
    except MissingData:
        return procedural_textures(classes, seed=seed, side=side), f"procedural textures, draw {seed}"
