"""Parameters in a file: one .npy that holds arrays by their names, without pickles."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .validation import Floats, as_floats, check_finite


def write_params(path: str | os.PathLike[str], params: Mapping[str, Floats]) -> None:
    """Write arrays as one record whose fields are their names; a missing folder is made."""
    arrays = {name: as_floats(name, array) for name, array in params.items()}
    record = np.zeros((), [(name, array.dtype, array.shape) for name, array in arrays.items()])
    for name, array in arrays.items():
        record[name] = array
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("wb") as file:
        np.save(file, record)


def read_params(path: str | os.PathLike[str]) -> dict[str, Floats]:
    """Return the arrays that `write_params` has written.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    ValueError
        Where it holds something else, or part of it.
    """
    with Path(path).open("rb") as file:
        try:
            record = np.load(file, allow_pickle=False)
            names = record.dtype.names
            params = {name: as_floats(name, record[name].copy()) for name in names}
        except (ValueError, EOFError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path} holds no parameters that were saved here: save the model again"
            ) from error
    for name, array in params.items():
        check_finite(name, array)
    return params
