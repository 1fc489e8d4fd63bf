"""Hyperparameter search: many runs of a model, the one with the best validation accuracy is kept.

A run by itself is in `single_run`; which are trained together, and where, in `many_runs`.

Shapes: N examples, D features, C classes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .many_runs import train_all
from .single_run import Record, Setting, best_of, checked
from .validation import Rng, as_count, as_number, as_rng, shown


@dataclass(frozen=True, eq=False, repr=False)
class SearchResult:
    """What `search` found; printed, it is a table of all runs and a line on the best one.

    Attributes
    ----------
    records : list of dict
        One a run, in the order of the settings, ready for ``pandas.DataFrame``: the settings, then
        ``train_accuracy`` and ``val_accuracy`` in [0, 1], ``final_loss`` of the last minibatch
        before its step, ``status``, "ok" or "diverged", and ``diverged_at``, the iteration at which
        a run diverged. The numbers of a run that diverged are NaN.
    names : tuple of str
        The settings that were searched.
    """

    records: list[Record]
    names: tuple[str, ...]
    _model: Any

    @property
    def best(self) -> Record:
        """The record with the highest validation accuracy, the first one of equals, if any."""
        best = best_of(self.records)
        if best is None:
            raise ValueError(
                f"all {len(self.records)} runs diverged, so none is best: learning rates ten times "
                "smaller are the first thing to try"
            )
        return self.records[best]

    @property
    def best_model(self) -> Any:
        """The trained model of the best run."""
        _ = self.best  # refuses where there is none
        return self._model

    @property
    def accuracies(self) -> dict[tuple[float, float], float]:
        """(learning_rate, reg) -> validation accuracy, NaN for diverged, as `plot_search` takes it.

        Where runs share a pair and differ in other settings, the best of them counts.
        """
        if not {"learning_rate", "reg"} <= set(self.names):
            raise ValueError(
                f"{' and '.join(self.names)} were searched, but the axes are learning_rate and "
                "reg: search both, a list of one number will do"
            )
        best: dict[tuple[float, float], float] = {}
        for record in self.records:
            rate, reg = (as_number(k, record[k]) for k in ("learning_rate", "reg"))
            pair = (rate, reg)
            best[pair] = float(np.fmax(best.get(pair, np.nan), record["val_accuracy"]))
        return best

    def __repr__(self) -> str:
        rows = [[*self.names, "train", "val", "loss", "status"]]
        for record in self.records:
            row = [_shown(record[name]) for name in self.names]
            if record["status"] == "ok":
                row += [f"{record[f'{part}_accuracy']:.3f}" for part in ("train", "val")]
                row += [f"{record['final_loss']:.3g}", "ok"]
            else:
                step = record["diverged_at"]
                row += ["-", "-", "-", "diverged" if step is None else f"diverged at {step}"]
            rows.append(row)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
        if best_of(self.records) is None:
            lines.append("best: none, all runs diverged")
        else:
            found = ", ".join(f"{name} {_shown(self.best[name])}" for name in self.names)
            lines.append(f"best: {found}: validation accuracy {self.best['val_accuracy']:.3f}")
        return "\n".join(lines)


def sample_settings(
    ranges: Mapping[str, Sequence[Any]], num_samples: int, *, rng: Rng | None = None
) -> list[Setting]:
    """Draw random settings for `search`.

    Random points find better settings than a grid of as many, because none of them repeats a
    value of the setting that matters.

    Parameters
    ----------
    ranges : mapping
        Name -> a tuple (low, high), both > 0, from which values are drawn uniformly in their
        logarithm; or name -> a list of values, one of which is taken.
    num_samples : int
        How many settings, >= 1.
    rng : Generator or RandomState

    Returns
    -------
    list of dict

    References
    ----------
    Bergstra and Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012.

    Examples
    --------
    The logarithm of the rate is uniform, so about half of the rates lie below 0.001.

    >>> drawn = sample_settings({"learning_rate": (1e-5, 1e-1), "reg": [0.1, 1.0]}, 1000)
    >>> round(sum(setting["learning_rate"] < 1e-3 for setting in drawn) / 1000, 1)
    0.5
    """
    num_samples = as_count("num_samples", num_samples)
    rng = as_rng(rng)
    if not isinstance(ranges, Mapping) or not ranges:
        raise TypeError(
            f"ranges is {shown(ranges)}, but it must be a dict, name -> (low, high) or a list of "
            "values, of at least one name"
        )
    checked_ranges = {
        _as_name("ranges", name): _as_range(name, values) for name, values in ranges.items()
    }

    def draw(values: Sequence[Any]) -> Any:
        if isinstance(values, tuple):
            from scipy.stats import loguniform

            return float(loguniform.rvs(*values, random_state=rng))
        return _plain(values[rng.choice(len(values))])

    return [
        {name: draw(values) for name, values in checked_ranges.items()} for _ in range(num_samples)
    ]


def search(
    model: Callable[..., Any],
    X_train: ArrayLike,
    y_train: ArrayLike,
    X_val: ArrayLike,
    y_val: ArrayLike,
    settings: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    rng: Rng | None = None,
    n_jobs: int | None = None,
    **fixed: Any,
) -> SearchResult:
    """Train `model` with each of the settings, and keep the best by validation accuracy.

    A run is what the course's loop does: make the model, ``train``, ``predict``. Runs that diverge
    are recorded and not raised; any other error of a run carries a note that names its settings.
    Data and settings are checked before the first run.

    Parameters
    ----------
    model : callable
        `LinearSVM`, `Softmax`, `TwoLayerNet`, or anything that makes an object with ``train`` and
        ``predict`` of the same form. Each setting goes to the call where it has a parameter of that
        name, else to ``train``, which returns the losses, one a step; ``predict`` returns integers
        (N,), as the labels are. input_size, output_size and rng are filled in where it has them.
    X_train, X_val : (N, D) and (M, D) arrays
    y_train, y_val : (N,) and (M,) integer arrays
        Labels 0..C-1, with C = max(y_train) + 1.
    settings : mapping or iterable of mappings
        Name -> list of values for the full grid, the last name changing fastest; or a list of
        settings, for example from `sample_settings`.
    rng : Generator or RandomState
        Each run works with a copy of it, so all start from the same weights and see the same
        minibatches, and `rng` stays as it is.
    n_jobs : int, optional
        Number of processes, as in joblib: -1 takes all processors, None one, or what
        ``joblib.parallel_config`` says. The model may be defined in a notebook, or be a lambda.
    **fixed
        Settings that are the same for all runs: num_iters, batch_size, hidden_size.

    Returns
    -------
    SearchResult

    Notes
    -----
    LinearSVM and Softmax runs that differ only in learning_rate and reg are trained together, 16
    at a time, with the results of single runs to rounding. (Rounding matters where a learning rate
    is so large that the weights leap about: such a run ends elsewhere on each machine.)

    Beyond one machine, joblib hands the runs to Dask (``pip install cs231n-helpers[dask]``).
    `scatter` brings the data to each worker once, and a run that is lost with its worker is trained
    again by another::

        data = X_train, y_train, X_val, y_val
        client = distributed.Client("tcp://scheduler:8786")
        with joblib.parallel_config("dask", client=client, scatter=data):
            search(TwoLayerNet, *data, settings, hidden_size=50)

    Examples
    --------
    A step multiplies the weights by 1 - learning_rate * reg = -4 in the second run, which explodes.

    >>> from cs231n_helpers import Softmax
    >>> X, y = np.array([[-1.0, 1.0], [2.0, 1.0]]), np.array([0, 1])
    >>> search(Softmax, X, y, X, y, {"learning_rate": [0.5], "reg": [0.0, 10.0]}, num_iters=1000)
    learning_rate  reg  train    val     loss           status
              0.5    0  1.000  1.000  0.00054               ok
              0.5   10      -      -        -  diverged at 257
    best: learning_rate 0.5, reg 0: validation accuracy 1.000
    """
    if not callable(model):
        raise TypeError(
            f"model is {shown(model)}, but each run makes a fresh one: pass the class and not an "
            "object, as in search(LinearSVM, ...)"
        )
    rng = as_rng(rng)
    if n_jobs is not None and (
        not isinstance(n_jobs, Integral) or isinstance(n_jobs, bool) or n_jobs == 0
    ):
        raise ValueError(
            f"n_jobs = {shown(n_jobs)}, but it must be a number of processes: -1 takes all "
            "processors, None one"
        )
    varied = _as_list(settings)
    for name in fixed.keys() & varied[0].keys():
        raise ValueError(
            f"{name} = {shown(fixed[name])} is the same for all runs and is searched, too: leave "
            "it out of one of the two"
        )
    data = checked(X_train, y_train, X_val, y_val)
    runs = [{**fixed, **setting} for setting in varied]
    n_jobs = None if n_jobs is None else min(int(n_jobs), len(runs))
    records, best_model = train_all(model, runs, rng, data, n_jobs)
    records = [{**setting, **record} for setting, record in zip(varied, records, strict=True)]
    return SearchResult(records, tuple(varied[0]), best_model)


def _as_list(settings: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]) -> list[Setting]:
    """Return the settings one by one, with Python's own numbers."""
    if isinstance(settings, Mapping):
        for name, values in settings.items():
            if not _is_list(values):
                value = shown(values)
                raise TypeError(
                    f"settings[{shown(name)}] = {value}, but a grid needs a list of values: pass "
                    f"[{value}], or {name}={value} outside the grid for all runs alike"
                )
        grid = itertools.product(*settings.values())
        found = [dict(zip(settings, values, strict=True)) for values in grid]
    elif isinstance(settings, Iterable) and getattr(settings, "ndim", 1) > 0:
        found = [_as_setting(i, setting) for i, setting in enumerate(settings)]
    else:
        raise TypeError(
            f"settings is {shown(settings)}, but it must be a dict, name -> list of values, or a "
            "list of dicts, name -> value"
        )
    if not found or not found[0]:
        raise ValueError(
            f"settings = {shown(settings)} holds no run, but a search needs at least one: give "
            'each name a list that is not empty, as in {"learning_rate": [1e-3, 1e-2]}'
        )
    for i, setting in enumerate(found):
        if setting.keys() != found[0].keys():
            raise ValueError(
                f"settings[{i}] names {', '.join(map(str, setting))} and settings[0] "
                f"{', '.join(map(str, found[0]))}, but all must name the same: give each a value"
            )
    return [
        {_as_name("settings", name): _plain(it) for name, it in setting.items()}
        for setting in found
    ]


def _is_list(values: Any) -> bool:
    """Whether `values` are several in an order: no text, dict, set or iterator without an end."""
    no_list = isinstance(values, str | bytes | Mapping | Set | np.ma.MaskedArray)
    return isinstance(values, Collection) and not no_list and getattr(values, "ndim", 1) > 0


def _as_setting(i: int, setting: Any) -> Setting:
    if not isinstance(setting, Mapping):
        raise TypeError(f"settings[{i}] is {shown(setting)}, but it must be a dict, name -> value")
    return dict(setting)


def _as_name(of: str, name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{of} has the name {shown(name)}, but names are str")
    return name


def _as_range(name: str, values: Any) -> Sequence[Any]:
    """Return (low, high), both > 0, or a list."""
    what = f"ranges[{shown(name)}]"
    if not _is_list(values):
        raise TypeError(
            f"{what} = {shown(values)}, but it must be (low, high) or a list of values to choose "
            "from"
        )
    if not isinstance(values, tuple):
        if not len(values):
            raise ValueError(f"{what} is empty, but a choice needs at least one value")
        return list(values)
    ends = tuple(as_number(what, end) for end in values)
    if len(ends) != 2 or not 0 < ends[0] < ends[1]:
        raise ValueError(
            f"{what} = {shown(values)}, but a range is (low, high) with 0 < low < high: pass a "
            "list to choose from its values"
        )
    return ends


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else shown(value)
