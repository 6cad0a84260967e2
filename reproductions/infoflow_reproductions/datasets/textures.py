"""Textures for backgrounds: photographs from the user's files, or generated ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData
from infoflow.core.settings import Integer, PositiveInt, Seed, validated
from infoflow.data.roots import places, roots

Texture = np.ndarray[Any, Any]
"""An RGB image (height, width, 3), uint8."""

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def texture_files(root: str | Path | None = None) -> dict[str, list[Path]]:
    """Find the images of the Describable Textures Dataset, or of a part of it, in the user's files.

    Parameters
    ----------
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.

    Returns
    -------
    dict
        Category to its images, both sorted.

    Raises
    ------
    MissingData
        If there are none; the message states where to put them.

    Notes
    -----
    Images are looked for as `textures/dtd/CATEGORY/*.jpg`, and png and webp likewise.

    References
    ----------
    Cimpoi et al.: Describing textures in the wild, CVPR 2014.

    Examples
    --------
    >>> texture_files("/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no textures in /nowhere/textures/dtd. ...
    """
    folders = [base / "textures" / "dtd" for base in roots(root)]
    for folder in folders:
        categories = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        files = {c.name: sorted(p for p in c.iterdir() if p.suffix.lower() in _SUFFIXES) for c in categories}
        files = {name: paths for name, paths in files.items() if paths}
        if files:
            return files
    raise MissingData(
        f"no textures in {places(folders)}. Put the folders of the Describable Textures Dataset there (one for each "
        "category, with its images), or use procedural_textures()."
    )


@validated
def draw_textures(
    classes: PositiveInt = 10, *, seed: Seed = 0, root: str | Path | None = None, side: PositiveInt = 128
) -> list[Texture]:
    """Draw one photograph for each class, each of another category of the Describable Textures Dataset.

    Parameters
    ----------
    classes
        Number of photographs.
    seed
        Seed of the categories and of the image within each.
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.
    side
        Pixels to which the central square of each photograph is scaled, so that a patch of 32 pixels shows some of
        the pattern whatever the resolution of the photograph.

    Returns
    -------
    list of ndarray of shape (side, side, 3)
        RGB images, uint8.

    Raises
    ------
    MissingData
        If there are no photographs.
    BrokenStore
        If a file cannot be read as an image.
    InvalidArgument
        If there are fewer categories than classes.

    Examples
    --------
    >>> draw_textures(root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no textures in ...
    """
    files = texture_files(root)
    if len(files) < classes:
        raise InvalidArgument("classes", f"at most the number of categories of textures ({len(files)})", classes)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(sorted(files))[:classes]
    return [_read(files[str(name)][rng.integers(len(files[str(name)]))], side) for name in chosen]


def _read(path: Path, side: int) -> Texture:
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise BrokenStore(f"{path} cannot be read as an image: {error}") from None
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    box = (left, top, left + edge, top + edge)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box))


@validated
def procedural_textures(
    classes: PositiveInt = 10, *, seed: Seed = 0, side: Annotated[int, Integer(8)] = 128
) -> list[Texture]:
    """Generate textures of band-passed noise whose scale, direction and two colors differ from class to class.

    Parameters
    ----------
    classes
        Number of textures.
    seed
        Seed of everything that is drawn.
    side
        Side in pixels, at least 8.

    Returns
    -------
    list of ndarray of shape (side, side, 3)
        RGB images, uint8, that tile without seams.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    Notes
    -----
    Each is Gaussian noise filtered to one band of spatial frequencies and directions and mapped to a line between two
    colors. Bands (4 to 16 pixels per wave) and directions are spread evenly over the classes. Colors are drawn, so
    that they overlap as those of photographs do.

    Examples
    --------
    >>> textures = procedural_textures(10, seed=0)
    >>> len(textures), textures[0].shape, textures[0].dtype
    (10, (128, 128, 3), dtype('uint8'))
    """
    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij")
    radius, angle = np.hypot(fx, fy), np.arctan2(fy, fx)
    periods = rng.permutation(np.geomspace(4, min(16, side), classes))
    directions = rng.permutation(np.arange(classes) * math.pi / classes)
    textures = []
    for period, direction in zip(periods, directions, strict=True):
        band = np.exp(-0.5 * (np.log2(np.maximum(radius, 1e-9) * period) / 0.35) ** 2)
        turned = np.cos(angle - direction) ** 2  # a wave has no sense of direction, so half a turn is a full period
        field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((side, side))) * band * np.exp(4 * (turned - 1))).real
        share = 1 / (1 + np.exp(-2 * field / field.std()))
        dark, bright = rng.uniform(0, 140, 3), rng.uniform(60, 230, 3)
        textures.append(np.rint(dark + share[..., None] * (bright - dark)).astype(np.uint8))
    return textures


@validated
def random_patches(
    textures: Sequence[Texture], which: np.ndarray[Any, Any], size: PositiveInt, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    """Cut a random patch for each sample from the texture of its class.

    Parameters
    ----------
    textures : sequence of ndarray of shape (height, width, 3)
        One RGB image for each class, uint8, at least as large as a patch.
    which : ndarray of shape (n,)
        Class of each sample.
    size
        Side of a patch in pixels.
    rng
        Generator of the positions.

    Returns
    -------
    ndarray of shape (n, 3, size, size)
        Patches, uint8.

    Raises
    ------
    InvalidArgument
        If a texture has another form or is smaller than a patch, or there are fewer textures than classes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> random_patches(procedural_textures(2), np.array([0, 1, 1]), 32, rng).shape
    (3, 3, 32, 32)
    """
    needed = int(which.max()) + 1 if len(which) else 0
    if len(textures) < needed:
        raise InvalidArgument("textures", f"at least one for each of {needed} classes", got_text=str(len(textures)))
    for i, texture in enumerate(textures):
        if texture.ndim != 3 or texture.shape[2] != 3 or texture.dtype != np.uint8:
            raise InvalidArgument(
                f"textures[{i}]",
                "RGB of shape (height, width, 3), uint8",
                got_text=f"shape {texture.shape} and dtype {texture.dtype}",
            )
        if min(texture.shape[:2]) < size:
            raise InvalidArgument(
                f"textures[{i}]",
                f"at least as large as the patch, {size}×{size} pixels",
                got_text=f"{texture.shape[0]}×{texture.shape[1]} pixels",
            )
    patches = np.empty((len(which), 3, size, size), np.uint8)
    for number in range(needed):
        (places,) = np.nonzero(which == number)
        texture = textures[number].transpose(2, 0, 1)
        windows = np.lib.stride_tricks.sliding_window_view(texture, (size, size), axis=(1, 2))
        tops = rng.integers(windows.shape[1], size=len(places))
        lefts = rng.integers(windows.shape[2], size=len(places))
        patches[places] = windows[:, tops, lefts].transpose(1, 0, 2, 3)
    return patches


def textures_at_hand(classes: int, *, seed: int, root: str | Path | None, side: int) -> tuple[list[Texture], str]:
    """Return the user's photographs, or generated textures if there are none, and a description of the source.

    Examples
    --------
    >>> textures_at_hand(10, seed=0, root="/nowhere", side=128)[1]
    'procedural textures, draw 0'
    """
    try:
        return draw_textures(classes, seed=seed, root=root, side=side), f"textures of DTD, draw {seed}"
    except MissingData:
        return procedural_textures(classes, seed=seed, side=side), f"procedural textures, draw {seed}"
