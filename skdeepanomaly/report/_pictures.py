"""Images and windows of series as small pictures, with heat maps of what is unusual."""

import base64
import struct
import zlib
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..utils._compat import n_rows, take_rows
from ..utils.nesting import nested, nested_rows
from ._rows import nearest_rows
from ._scores import Scores

# Bytes of all pictures of a report, before they become text.
MAX_BYTES = 900_000
LARGEST_SIDE, SMALLEST_SIDE = 128, 16
MAX_NORMAL = 2000
# From dark to bright, and readable without colours.
HEAT = np.array([[8, 8, 40], [90, 20, 110], [190, 55, 80], [245, 130, 30], [252, 250, 160]])


def kind_of_rows(detector: BaseEstimator, X: Any) -> str:
    """Say what the rows are: "images", "windows" of series, or the rows of a "table"."""
    inside = nested(detector)[-1]
    if hasattr(inside, "window_shape_"):
        return "windows"
    if hasattr(inside, "image_shape_") or len(np.shape(X)) > 2:
        return "images"
    return "table"


def describe_pictures(
    detectors: list[BaseEstimator],
    X: Any,
    scores: list[Scores],
    shown: np.ndarray,
    *,
    kind: str,
    rng: np.random.RandomState,
) -> dict:
    """Return pictures of the shown rows.

    Parameters
    ----------
    detectors : list
        One fitted detector, or two to compare; the heat maps are those of the first.
    X : array-like of shape (n_samples, ...)
        Images, windows, or flat rows of them.
    scores : list of Scores
        Those of each detector.
    shown : ndarray of int
        Positions of the rows to show.
    kind : {"images", "windows"}
        What the rows are.
    rng : RandomState instance
        Draws the rows among which similar ones are searched.

    Returns
    -------
    content : dict
        As ``describe_table``, without columns.
    """
    detector = detectors[0]
    normal = np.flatnonzero(~np.any([one.is_flagged for one in scores], axis=0))
    if len(normal) > MAX_NORMAL:
        normal = np.sort(rng.choice(normal, MAX_NORMAL, replace=False))
    places = np.unique(np.concatenate([normal, shown]))
    rows = take_rows(X, places)
    at = np.searchsorted(places, shown)
    near = nearest_rows(detector, rows, at, np.flatnonzero(np.isin(places, normal)))
    shape = _shape_of(detector, X, kind)
    images = _as_images(take_rows(rows, at), shape, kind)
    similar = [_as_images(take_rows(rows, found[:1]), shape, kind) for found in near]
    heat = _heat_of(detector, take_rows(X, shown), images.shape, shape, kind)
    side = _side(images, len(shown))
    limits = np.quantile(images, [0.001, 0.999])
    content_rows = []
    for i, place in enumerate(shown):
        row = {"row": int(place), "image": _picture(images[i], side, limits)}
        if heat is not None:
            row["heat"] = _heat_picture(heat[i], side)
        if n_rows(similar[i]):
            row["similar"] = _picture(similar[i][0], side, limits)
            row["similar_row"] = int(places[near[i][0]])
        content_rows.append(row | {"reasons": [], "cells": None})
    notes = []
    if heat is None:
        name = type(nested(detector)[-1]).__name__
        notes.append(f"{name} cannot say which parts of a row are unusual.")
    return {
        "kind": kind,
        "columns": [],
        "rows": content_rows,
        "normal_rows": [],
        "explained": heat is not None,
        "exact": False,
        "n_compared": len(normal),
        "understood": [],
        "notes": notes,
        "container": "numpy",
    }


def _shape_of(detector: BaseEstimator, X: Any, kind: str) -> tuple[int, ...]:
    name = "window_shape_" if kind == "windows" else "image_shape_"
    return tuple(getattr(nested(detector)[-1], name, np.shape(X)[1:]))


def _as_images(rows: Any, shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Return rows as images (n, height, width, channels) of one or three channels."""
    values = np.nan_to_num(np.asarray(rows, dtype=np.float64))
    if kind == "windows":
        # Time runs from left to right, and each channel is a line.
        return values.reshape(len(values), *shape).swapaxes(1, 2)[..., None]
    if np.prod(shape) != np.prod(values.shape[1:]):
        shape = values.shape[1:]
    full = (1,) * (3 - len(shape)) + tuple(shape)
    images = np.moveaxis(values.reshape(len(values), *full), 1, -1)
    return images if images.shape[-1] == 3 else images.mean(axis=-1, keepdims=True)


def _heat_of(
    detector: BaseEstimator,
    rows: Any,
    shape: tuple[int, ...],
    row_shape: tuple[int, ...],
    kind: str,
) -> np.ndarray | None:
    """Return what each pixel adds to the scores, or None where that is not known."""
    for part, seen in nested_rows(detector, rows):
        if hasattr(part, "explain"):
            found = np.asarray(part.explain(seen), dtype=np.float64)
            break
    else:
        return None
    if found.size != len(found) * np.prod(row_shape):
        # The detector sees features of the images, which have no place in them.
        return None
    found = found.reshape(len(found), *row_shape)
    if kind == "windows":
        return found.swapaxes(1, 2)
    # Channels are summed.
    return found.reshape(len(found), -1, *shape[1:3]).sum(axis=1)


def _side(images: np.ndarray, n: int) -> int:
    """Return the largest side of a picture that keeps a report small."""
    # An image, a similar one and a heat map of three colours.
    a_pixel = 2 * images.shape[-1] + 3
    side = int(np.sqrt(MAX_BYTES / max(1, n) / a_pixel))
    return min(LARGEST_SIDE, max(SMALLEST_SIDE, side))


def _picture(image: np.ndarray, side: int, limits: tuple[float, float]) -> str:
    low, high = limits
    scaled = np.clip((_smaller(image, side) - low) / ((high - low) or 1), 0, 1)
    return to_png(np.round(255 * scaled).astype(np.uint8))


def _heat_picture(heat: np.ndarray, side: int) -> str:
    heat = np.maximum(_smaller(heat[..., None], side)[..., 0], 0)
    places = heat / (heat.max() or 1) * (len(HEAT) - 1)
    steps = np.arange(len(HEAT))
    colors = np.stack([np.interp(places, steps, HEAT[:, c]) for c in range(3)], axis=-1)
    return to_png(np.round(colors).astype(np.uint8))


def _smaller(image: np.ndarray, side: int) -> np.ndarray:
    """Return means of blocks of an image (height, width, channels) that is too large."""
    for axis in (0, 1):
        step = -(-image.shape[axis] // side)
        starts = np.arange(0, image.shape[axis], step)
        sizes = np.diff(np.append(starts, image.shape[axis]))
        sizes = sizes.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        image = np.add.reduceat(image, starts, axis=axis) / sizes
    return image


def to_png(image: np.ndarray) -> str:
    """Return a picture as the address of a PNG that holds the picture itself.

    Parameters
    ----------
    image : ndarray of shape (height, width, 1) or (height, width, 3), uint8
        Grey values or colours.

    Returns
    -------
    address : str
        Such as "data:image/png;base64,...".
    """
    height, width, channels = image.shape
    # Each line begins with its filter: 0, none.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for name, part in parts:
        check = struct.pack(">I", zlib.crc32(name + part))
        data += struct.pack(">I", len(part)) + name + part + check
    return "data:image/png;base64," + base64.b64encode(data).decode()
