"""The spiral of the course notes: classes in the plane that no straight line separates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..validation import Rng, all_finite, as_count, as_non_negative, as_rng


def make_spiral(
    points_per_class: int = 100,
    num_classes: int = 3,
    *,
    noise: float = 0.2,
    rng: Rng | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw the spiral of the course notes.

    Class c is an arm with radius r from 0 to 1 and angle t from 4 c to 4 (c + 1) radians plus
    ``noise`` times a standard normal; its points are (r sin t, r cos t).

    Parameters
    ----------
    points_per_class, num_classes : int
    noise : float
        Standard deviation of the angle, in radians, >= 0.
    rng : Generator or RandomState, optional
        By default ``np.random.RandomState(0)``, the points of the course notes.

    Returns
    -------
    X : (N, 2) float64 array, N = points_per_class * num_classes, inside the unit circle
    y : (N,) int64 array, class by class

    References
    ----------
    CS231n course notes, https://cs231n.github.io/neural-networks-case-study/

    Examples
    --------
    >>> make_spiral(2, 2, noise=0)[0].round(3) + 0.0  # arms end at the angles 4 and 8
    array([[ 0.   ,  0.   ],
           [-0.757, -0.654],
           [ 0.   ,  0.   ],
           [ 0.989, -0.146]])
    """
    n = as_count("points_per_class", points_per_class)
    num_classes = as_count("num_classes", num_classes)
    if n * num_classes > 10_000_000:
        raise ValueError(
            f"points_per_class * num_classes = {n * num_classes:,}, but at most 10,000,000 points "
            "are drawn: ask for fewer"
        )
    noise, rng = as_non_negative("noise", noise), as_rng(rng)
    y = np.repeat(np.arange(num_classes, dtype=np.int64), n)  # (N,)
    along = np.tile(np.linspace(0, 1, n), num_classes)  # (N,), from the center out
    with np.errstate(over="ignore"):
        t = 4 * (y + along) + noise * rng.standard_normal(len(y))
    if not all_finite(t):
        raise ValueError(f"noise = {noise:g} is too much, an angle is infinite: take less than 10")
    return np.stack([along * np.sin(t), along * np.cos(t)], axis=1), y
