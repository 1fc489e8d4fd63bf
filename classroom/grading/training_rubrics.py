"""Judge loops: gradient descent, training and search.

The learner's function gets a callback that writes down what it is asked and answers with known
numbers. Minibatches, steps, rates and losses are judged from that record by what must hold of
them, not against one stream of random numbers.

Shapes: N examples, D features, C classes, H hidden units, B rows of a minibatch.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .hidden_data import Arrays, cast, draw_sizes, draw_strength, normal
from .student_function import (
    Array,
    CallError,
    Fault,
    Faults,
    Learner,
    UnfitError,
    as_array,
    as_number,
    as_pair,
    copied,
    described,
)  # fmt: skip

MakeRng = Callable[[int], Any]


# ---- what was asked ----


@dataclass(frozen=True)
class Asked:
    """One call of the loss function: with what, and what it answered."""

    params: Arrays
    X: Array  # (B, D)
    y: Array  # (B,)
    reg: float
    value: float
    gradient: Arrays


class Bowl:
    """A loss function with known answers that writes down what it is asked, and never raises.

    loss = a/2 sum((P - T)**2) + m sum(U P), where m is a number that depends on the batch.
    """

    STEEP = 0.4

    def __init__(self, rng: np.random.Generator, params: Any, features: int, most: int) -> None:
        self.single = not isinstance(params, dict)
        self.start: Arrays = cast({"W": params} if self.single else params, np.float64)
        self.centre = {k: normal(rng, 1.0, *v.shape) for k, v in self.start.items()}
        self.tilt = {k: normal(rng, 0.5, *v.shape) for k, v in self.start.items()}
        self.mix = normal(rng, 1.0, features)
        self.most = most
        self.asked: list[Asked] = []
        self.misuse = ""

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[float, Any]:
        """Answer (loss, gradient), whatever it is called with."""
        name = "W" if self.single else "params"
        try:
            given = [*args, *kwargs.values()]
            if len(given) != 4:
                form = f"loss_function({name}, X_batch, y_batch, reg)"
                raise UnfitError(f"It was called with {len(given)} arguments instead of as {form}.")
            asked = self.answer(*given)
        except UnfitError as unfit:
            self.misuse = self.misuse or f"In a call of loss_function: {unfit.fault.sentence}"
            asked = Asked(self.start, np.zeros((0, 0)), np.zeros(0), 0.0, 0.0, self.tilt)
        else:
            if len(self.asked) < self.most:
                self.asked.append(asked)
        gradient = copied(asked.gradient)
        return asked.value, gradient["W"] if self.single else gradient

    def answer(self, params: Any, X: Any, y: Any, reg: Any) -> Asked:
        """What this bowl says at these parameters, for this batch."""
        P = self.arrays(params)
        rows = len(X) if type(X) is np.ndarray and X.ndim == 2 else -1
        X = as_array(X, (max(rows, 1), len(self.mix)), "X_batch")
        size = len(y) if type(y) is np.ndarray and y.ndim == 1 else -1
        y = as_array(y, (size if size >= 0 else rows,), "y_batch")
        value = self.value(P, X)
        m = float((X @ self.mix).mean())
        gradient = {k: self.STEEP * (P[k] - self.centre[k]) + m * self.tilt[k] for k in P}
        return Asked(P, X, y, as_number(reg, "reg"), value, gradient)

    def value(self, P: Arrays, X: Array) -> float:
        """The loss alone."""
        m = float((X @ self.mix).mean())
        bowl = sum(float(((P[k] - self.centre[k]) ** 2).sum()) for k in P)
        return self.STEEP / 2 * bowl + m * sum(float((self.tilt[k] * P[k]).sum()) for k in P)

    def arrays(self, params: Any) -> Arrays:
        """The learner's parameters by name, else UnfitError."""
        if self.single:
            return {"W": as_array(params, self.start["W"].shape, "W")}
        if type(params) is not dict:
            raise UnfitError(f"params is {described(params)}; it must be a dict of arrays.")
        missing = [k for k in self.start if k not in params]
        if missing:
            raise UnfitError(f"params has no entry {missing[0]!r}.", "missing_key")
        return {k: as_array(params[k], v.shape, f"params[{k!r}]") for k, v in self.start.items()}


@dataclass
class Run:
    """One run of a training loop, as its callback and its return value tell it."""

    bowl: Bowl
    X: Array
    y: NDArray[np.int64]
    rate: float
    reg: float
    num_iters: int
    batch_size: int
    decay: float = 1.0
    changed: Fault | None = None
    final: Arrays | None = None
    unfit: Fault | None = None  # of the parameters returned
    losses: Any = None
    steps: list[int] = field(default_factory=list)  # which of the calls steps were taken from

    @property
    def asked(self) -> list[Asked]:
        """The calls of the loss function."""
        return self.bowl.asked

    @property
    def points(self) -> list[Arrays]:
        """The parameters in each call, and those returned."""
        return [a.params for a in self.asked] + ([self.final] if self.final else [])

    def step(self, k: int) -> Arrays:
        """How the parameters went on from call k."""
        before, after = self.points[k], self.points[k + 1]
        return {name: after[name] - before[name] for name in before}

    def find_steps(self) -> None:
        """Every call is a step, or if there were more calls, those after which something moves."""
        last = len(self.points) - 1
        calls = range(min(len(self.asked), last))
        if len(self.asked) != self.num_iters:
            moves = [k for k in calls if any(v.any() for v in self.step(k).values())]
            calls = moves or calls  # type: ignore[assignment]
        self.steps = list(calls)


def _run(
    learner: Learner,
    rng: np.random.Generator,
    given_rng: Any,
    *,
    net: bool,
    num_iters: int,
    sizes: tuple[int, int] | None = None,
    like: Run | None = None,
    dtype: Any = np.float64,
) -> Run:
    """Call a training loop once; `like` repeats the settings of another run."""
    if like is not None:
        run = Run(Bowl(rng, _start_of(like), like.X.shape[1], 20 * num_iters), like.X, like.y,
                  like.rate, like.reg, num_iters, like.batch_size, like.decay)  # fmt: skip
    else:
        N, D, C, H = draw_sizes(rng)
        N, B = sizes or (N, int(rng.integers(4, 7)))
        while sizes is None and N % B == 0:
            B = int(rng.integers(4, 7))
        params: Any = {
            "W1": normal(rng, 0.5, D, H), "b1": normal(rng, 0.5, H),
            "W2": normal(rng, 0.5, H, C), "b2": normal(rng, 0.5, C),
        } if net else normal(rng, 0.5, D, C)  # fmt: skip
        y = rng.permutation(np.r_[np.arange(C), rng.integers(0, C - 1, max(N - C, 0))])[:N]
        rate, decay = round(rng.uniform(0.06, 0.16), 3), round(rng.uniform(0.7, 0.9), 2)
        run = Run(Bowl(rng, params, D, 20 * num_iters), normal(rng, 1.0, N, D), y,
                  rate, draw_strength(rng), num_iters, B, decay if net else 1.0)  # fmt: skip
    settings = (run.rate, run.decay) if net else (run.rate,)
    returned = learner(
        run.bowl, cast(_start_of(run), dtype), run.X.astype(dtype), run.y, *settings,
        run.reg, num_iters, run.batch_size, given_rng,
    )  # fmt: skip
    run.changed = learner.changed
    what = "params" if net else "W"
    try:
        final, run.losses = as_pair(returned, f"two things, ({what}, losses)")
        run.final = run.bowl.arrays(final)
    except UnfitError as unfit:
        run.unfit = unfit.fault
    run.find_steps()
    return run


def _start_of(run: Run) -> Any:
    return run.bowl.start["W"] if run.bowl.single else run.bowl.start


NEVER_ASKED = Fault(
    "loss_function is never called: call it once in each step, with the current parameters and "
    "the minibatch.", ("no_update",),
)  # fmt: skip


def judge_training(
    learner: Learner, rng: np.random.Generator, make_rng: MakeRng, *, net: bool
) -> Faults:
    """Judge gradient descent on minibatches, of W or of the parameters of a net."""
    seeds = [int(s) for s in rng.integers(0, 2**31, 2)]
    run = _run(learner, rng, make_rng(seeds[0]), net=net, num_iters=61)
    if run.bowl.misuse or not run.asked:
        fault = Fault(run.bowl.misuse, ("wrong_type",)) if run.bowl.misuse else NEVER_ASKED
        return dict.fromkeys(("minibatches", "update", "decay", "losses"), fault)
    verdicts: dict[str, Fault | None] = {
        "minibatches": _batches_wrong(run),
        "update": run.changed or _update_wrong(run),
        "losses": _losses_wrong(run),
    }
    if net:
        verdicts["decay"] = _decay_wrong(run)
    again = _run(learner, rng, make_rng(seeds[0]), net=net, num_iters=61, like=run)
    other = _run(learner, rng, make_rng(seeds[1]), net=net, num_iters=61, like=run)
    verdicts["minibatches"] = verdicts["minibatches"] or _rng_ignored(run, again, other)
    single = _run(learner, rng, make_rng(seeds[1]), net=net, num_iters=9, dtype=np.float32)
    if not verdicts["update"] and (in_float32 := single.changed or _update_wrong(single, 1e-3)):
        says = f"With float32 input, and not with float64: {in_float32.sentence}"
        verdicts["update"] = Fault(says, ("float32", *in_float32.codes))
    if net and not verdicts["decay"]:
        verdicts["decay"] = _short_epoch_wrong(learner, rng, make_rng(seeds[1]))
    return {part: fault for part, fault in verdicts.items() if fault}


def _batches_wrong(run: Run) -> Fault | None:
    size, N = run.batch_size, len(run.X)
    batches = [run.asked[k] for k in run.steps]
    for k, batch in enumerate(batches):
        if len(batch.X) != size or len(batch.y) != size:
            says = f"The minibatch of step {k} has {len(batch.X)} rows and {len(batch.y)} labels"
            says += f", and batch_size is {size} (of {N} examples): rng.choice(len(X), batch_size)."
            return Fault(says, ("batch_size",))
    apart = [np.abs(b.X[:, np.newaxis] - run.X).max(axis=2) for b in batches]  # (B, N) each
    if any((d.min(axis=1) > 1e-5).any() for d in apart):
        says = "A minibatch holds rows that are no rows of X: take X[rows], unchanged."
        return Fault(says, ("wrong_index",))
    rows = [d.argmin(axis=1) for d in apart]
    mismatched = sum((run.y[r] != b.y).any() for r, b in zip(rows, batches, strict=True))
    if mismatched:
        says = (
            f"In {mismatched} of {len(batches)} steps the labels belong to other rows than those "
            "of X_batch: draw the indices once, and use them for both, X[rows] and y[rows]."
        )
        return Fault(says, ("labels_mismatched",))
    if all(np.array_equal(r, rows[0]) for r in rows):
        says = "Every step sees the same minibatch: draw a new one in each step, inside the loop."
        return Fault(says, ("same_batch",))
    left_out = sorted(set(range(N)) - {int(i) for r in rows for i in r})
    if left_out:
        says = (
            f"In {len(rows)} steps {len(left_out)} of the {N} examples never turn up, the first "
            f"of them number {left_out[0]}: draw from all of them, rng.choice(len(X), batch_size)."
        )
        return Fault(says, ("rows_missing",))
    return None


def _rng_ignored(run: Run, again: Run, other: Run) -> Fault | None:
    """The same generator gives the same minibatches, another one others."""
    first, same, another = ([r.asked[k].X for k in r.steps] for r in (run, again, other))
    if not _all_equal(first, same):
        says = (
            "Two runs with generators of the same seed see other minibatches: draw with the "
            "argument rng, rng.choice, and not with np.random, so that a run can be repeated."
        )
    elif _all_equal(first, another):
        says = (
            "Runs with generators of different seeds see the same minibatches: draw with the "
            "argument rng, rng.choice(len(X), batch_size), and make no generator of your own."
        )
    else:
        return None
    return Fault(says, ("rng_ignored",))


def _all_equal(a: list[Array], b: list[Array]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def _rates(run: Run, tolerance: float) -> list[dict[str, float | None]]:
    """For each step and array r with change = -r * gradient; None where there is no such r."""
    found = []
    for k in run.steps:
        change, gradient = run.step(k), run.asked[k].gradient
        rates: dict[str, float | None] = {}
        for name, g in gradient.items():
            d = change[name]
            r = -float((d * g).sum() / (g * g).sum())
            size = max(float(np.abs(d).max()), 1e-9)
            fits = np.isfinite(d).all() and float(np.abs(d + r * g).max()) <= tolerance * size
            rates[name] = r if fits or not d.any() else None
        found.append(rates)
    return found


def _update_wrong(run: Run, tolerance: float = 1e-6) -> Fault | None:
    if run.unfit is not None:
        return run.unfit
    if any(a.reg != run.reg for a in run.asked):
        seen = next(a.reg for a in run.asked if a.reg != run.reg)
        says = f"loss_function is called with reg = {seen:g}, and reg is {run.reg:g}: pass it on."
        return Fault(says, ("ignores_argument",))
    name = "W" if run.bowl.single else "params"
    if all(_same_arrays(a.params, run.asked[0].params) for a in run.asked[1:]):
        says = (
            f"loss_function sees the same {name} in every step: update it, {name} - learning_rate "
            "* gradient, and call loss_function with the new one."
        )
        return Fault(says, ("no_update",))
    if len(run.steps) != run.num_iters:
        says = f"It takes {len(run.steps)} steps, and num_iters is {run.num_iters}."
        return Fault(says, ("wrong_steps",))
    rates = _rates(run, tolerance)
    if run.final and _same_arrays(run.final, run.asked[0].params):
        says = f"The {name} that is returned is the one that was given: return the last one."
        return Fault(says, ("last_step_missing",))
    if not any(rates[-1].values()) and all(any(r.values()) for r in rates[:-1]):
        says = (
            f"The {name} that is returned lacks the last step: return the one after it, which the "
            "loss function has not seen."
        )
        return Fault(says, ("last_step_missing",))
    for part in run.bowl.start:
        of = [r[part] for r in rates]
        fault = _rates_wrong(run, [r for r in of if r is not None], len(of), part, tolerance)
        if fault is not None:
            return fault
    return None


def _rates_wrong(
    run: Run, rates: list[float], steps: int, name: str, tolerance: float
) -> Fault | None:
    """What is wrong with the steps of one array; the decay is looked at elsewhere."""
    if len(rates) < steps:
        says = f"The step of {name} is no multiple of the gradient that loss_function has just "
        says += f"returned: {name} - learning_rate * gradient."
        return Fault(says, (_step_code(run, name),))
    if not any(rates):
        return Fault(f"{name} never changes: update it in every step.", ("no_update",))
    exponents = [_exponent(r, run) for r in rates]
    if all(e is not None and e >= 0 for e in exponents):
        return None
    if all(_exponent(-r, run) is not None for r in rates):
        says = (
            f"The step of {name} goes uphill: the gradient is added; subtract it, "
            f"{name} - learning_rate * gradient."
        )
        return Fault(says, ("sign",))
    first = rates[0]
    if abs(first - 1) < 1e-3 or (run.decay != 1 and abs(first - run.decay) < 1e-3):
        says = f"The step of {name} is the gradient itself: multiply it by learning_rate."
        return Fault(says, ("ignores_argument",))
    N, B = len(run.X), run.batch_size
    usual = {"batch_size": B, "1 / batch_size": 1 / B, "N": N, "1 / N": 1 / N, "2": 2, "1/2": 0.5}
    ratio = first / run.rate
    called = next((k for k, v in usual.items() if abs(ratio - v) < 1e-3 * v), f"{ratio:.3g}")
    if np.ptp(rates) > 1e-3 * abs(first):
        says = f"The rate of the steps of {name} changes: {first:.4g} first, {rates[-1]:.4g} last"
        says += f", and learning_rate is {run.rate:g}."
        return Fault(says, ("scale_const",))
    says = f"The steps of {name} are {called} times what they should be: learning_rate * gradient, "
    says += "where the gradient is a mean already."
    return Fault(says, ("scale_const",))


def _exponent(rate: float, run: Run) -> int | None:
    """How often a rate has decayed; without decay 0. None where it is not that."""
    if not 0 < rate < np.inf:
        return None
    near = 0 if run.decay == 1 else round(float(np.log(rate / run.rate) / np.log(run.decay)))
    return near if abs(rate - run.rate * run.decay**near) <= 1e-3 * rate else None


def _step_code(run: Run, name: str) -> str:
    """Whether each step uses the gradient of an earlier call."""
    for k in run.steps[1:4]:
        change = run.step(k)[name]
        for earlier in run.asked[:k]:
            if np.allclose(change, -run.rate * earlier.gradient[name], rtol=1e-4, atol=1e-9):
                return "stale_gradient"
    return "unexplained"


def _same_arrays(a: Arrays, b: Arrays) -> bool:
    return all(np.array_equal(a[k], b[k]) for k in a)


def _losses_wrong(run: Run) -> Fault | None:
    if run.unfit is not None and run.losses is None:
        return run.unfit
    if type(run.losses) is np.ndarray and run.losses.ndim == 1:
        given: list[Any] = list(run.losses)
    elif type(run.losses) in (list, tuple):
        given = list(run.losses)
    else:
        says = f"losses is {described(run.losses)}; it must be a list with one number a step."
        return Fault(says, ("wrong_type",))
    try:
        losses = np.array([as_number(v, f"losses[{i}]") for i, v in enumerate(given[:9999])])
    except UnfitError as unfit:
        return unfit.fault
    right = np.array([run.asked[k].value for k in run.steps])
    if len(losses) != len(right):
        says = f"losses has {len(given)} numbers for {len(right)} steps: append one in each step."
        return Fault(says, ("wrong_shape",))
    if np.allclose(losses, right, rtol=1e-6, atol=1e-9, equal_nan=True):
        return None
    after = [run.bowl.value(run.points[k + 1], run.asked[k].X) for k in run.steps]
    if np.allclose(losses, after, rtol=1e-6, atol=1e-9, equal_nan=True) or np.allclose(
        losses[:-1], right[1:], equal_nan=True
    ):
        says = "losses holds the loss after each step: keep the one that loss_function returned "
        return Fault(says + "before it, together with the gradient.", ("losses_after_step",))
    i = int(np.flatnonzero(~np.isclose(losses, right, rtol=1e-6, atol=1e-9, equal_nan=True))[0])
    says = f"losses[{i}] is {losses[i]:.5g}, and loss_function returned {right[i]:.5g} in step {i}:"
    return Fault(f"{says} keep each value as it is.", ("losses_wrong",))


def _decay_wrong(run: Run) -> Fault | None:
    """Compare how often the rate has decayed in each step; its first value is another part."""
    rates = [next((r for r in step.values() if r), None) for step in _rates(run, 1e-6)]
    if run.unfit is not None or not rates or any(r is None for r in rates):
        says = "How the learning rate decays cannot be seen before the update is right."
        return Fault(says, ("unexplained",))
    sizes = np.abs(np.array(rates, dtype=np.float64))
    epoch = max(len(run.X) // run.batch_size, 1)
    wanted = np.arange(len(sizes)) // epoch
    seen = np.log(sizes / sizes[0]) / np.log(run.decay)
    early = _exponent(sizes[0], run)
    if np.allclose(seen, wanted, atol=1e-3) and not early:
        return None
    every = f"multiply it by decay after each epoch of N // batch_size = {epoch} steps"
    if np.allclose(seen, 0, atol=1e-3):
        return Fault(f"The learning rate never decays: {every}.", ("decay_missing",))
    if np.allclose(seen, np.arange(len(sizes)), atol=1e-3):
        return Fault(f"The learning rate decays in each step: {every}.", ("decay_each_step",))
    if early and np.allclose(seen, wanted, atol=1e-3):
        says = f"The learning rate has decayed before the first step: {every}."
        return Fault(says, ("decay_early",))
    i = int(np.flatnonzero(~np.isclose(seen, wanted, atol=1e-3))[0])
    says = (
        f"In step {i} (counted from 0) the learning rate has been multiplied by decay "
        f"{abs(round(seen[i], 2)):g} times, and should have been {wanted[i]}: {every}, an integer."
    )
    return Fault(says, ("decay_wrong",))


def _short_epoch_wrong(learner: Learner, rng: np.random.Generator, given_rng: Any) -> Fault | None:
    """With a minibatch larger than N an epoch is one step."""
    try:
        run = _run(learner, rng, given_rng, net=True, num_iters=4, sizes=(8, 11))
    except CallError as error:
        if not re.search("divi|modulo", error.fault.sentence):
            return None  # drawn without replacement, which nobody forbids
        says = f"With batch_size = 11 and N = 8, {error.fault.sentence}: an epoch has "
        return Fault(f"{says}max(N // batch_size, 1) steps.", error.fault.codes)
    return _decay_wrong(run) if len(run.steps) == run.num_iters else None


# ---- search ----


class Table:
    """Known validation accuracies of pairs; writes down which pairs it is asked for."""

    def __init__(self, accuracies: dict[tuple[float, float], float], most: int) -> None:
        self.accuracies, self.most = accuracies, most
        self.asked: list[tuple[float, float]] = []
        self.misuse = ""

    def __call__(self, *args: Any, **kwargs: Any) -> float:
        """The accuracy of a pair; of pairs that are none of the grid, 0."""
        given = [*args, *kwargs.values()]
        try:
            if len(given) != 2:
                raise UnfitError(f"evaluate was called with {len(given)} arguments; it takes 2.")
            pair = (as_number(given[0], "learning_rate"), as_number(given[1], "reg"))
        except UnfitError as unfit:
            self.misuse = self.misuse or unfit.fault.sentence
            return 0.0
        if len(self.asked) < self.most:
            self.asked.append(pair)
        return self.accuracies.get(pair, 0.0)


def judge_search(learner: Learner, rng: np.random.Generator, make_rng: MakeRng) -> Faults:
    """Judge a search over a grid: where the best pair is first, last and in the middle."""
    found: dict[str, list[Fault]] = {}
    for place in ("middle", "last", "first"):
        rates = [float(v) for v in np.round(rng.permutation(10 ** rng.uniform(-8, -1, 4)), 12)]
        regs = [float(v) for v in np.round(rng.permutation(10 ** rng.uniform(1, 5, 3)), 3)]
        pairs = [(rate, reg) for rate in rates for reg in regs]
        values = np.sort(rng.choice(np.arange(20, 900), len(pairs), replace=False) / 1000)
        best = {"first": 0, "last": len(pairs) - 1, "middle": int(rng.integers(4, 8))}[place]
        order = np.insert(rng.permutation(len(pairs) - 1), best, len(pairs) - 1)
        table = Table(
            {p: float(values[k]) for p, k in zip(pairs, order, strict=True)}, 20 * len(pairs)
        )
        returned = learner(table, rates, regs)
        for part, fault in _search_wrong(table, returned, learner.changed).items():
            found.setdefault(part, []).append(fault)
    # what is special (the best is the worst) in one run is chance if it is not so in others
    return {part: min(faults, key=lambda f: f.codes != ("best_wrong",))
            for part, faults in found.items()}  # fmt: skip


def _search_wrong(table: Table, returned: Any, changed: Fault | None) -> Faults:
    if table.misuse:
        return dict.fromkeys(("all pairs", "best"), Fault(table.misuse, ("wrong_type",)))
    try:
        accuracies, best = as_pair(returned, "two things, (accuracies, best)")
    except UnfitError as unfit:
        return dict.fromkeys(("all pairs", "best"), unfit.fault)
    tried = changed or _pairs_wrong(table, accuracies)
    verdicts = {"all pairs": tried, "best": _best_wrong(table, best)}
    return {part: fault for part, fault in verdicts.items() if fault}


def _pairs_wrong(table: Table, accuracies: Any) -> Fault | None:
    pairs, asked = set(table.accuracies), set(table.asked)
    if asked and not asked & pairs and {(b, a) for a, b in asked} <= pairs:
        says = "evaluate gets its arguments the wrong way round: evaluate(learning_rate, reg)."
        return Fault(says, ("pairs_swapped",))
    if asked != pairs:
        says = f"{len(pairs - asked)} of the {len(pairs)} pairs are never tried"
        says += f", and {len(asked - pairs)} that are none" if asked - pairs else ""
        says += ": two loops, one in the other, over all rates and over all strengths."
        return Fault(says, ("pairs_missing",))
    if len(table.asked) > len(pairs):
        says = f"evaluate is called {len(table.asked)} times for {len(pairs)} pairs: each call "
        return Fault(says + "trains a model, so keep its answer.", ("pairs_repeated",))
    if type(accuracies) is not dict:
        says = f"accuracies is {described(accuracies)}; it must be a dict with an accuracy for "
        return Fault(says + "each pair (learning_rate, reg).", ("wrong_type",))
    keys = [k for k in accuracies if isinstance(k, tuple)]
    if set(keys) != pairs or len(keys) != len(accuracies):
        swapped = {k[::-1] for k in keys} == pairs
        says = f"accuracies has {len(accuracies)} entries, and of the {len(pairs)} pairs "
        says += f"(learning_rate, reg) it lacks {len(pairs - set(keys))}"
        says += ": its keys are (reg, learning_rate)." if swapped else "."
        return Fault(says, ("pairs_swapped" if swapped else "pairs_missing",))
    for pair in sorted(pairs):
        right = table.accuracies[pair]
        try:
            value = as_number(accuracies[pair], f"accuracies[{pair}]")
        except UnfitError as unfit:
            return unfit.fault
        if not abs(value - right) <= 1e-9:
            says = f"accuracies[{pair}] is {value:.4g}, and evaluate returned {right:.4g} for it."
            return Fault(says, ("accuracies_wrong",))
    return None


def _best_wrong(table: Table, best: Any) -> Fault | None:
    asked = [p for p in table.asked if p in table.accuracies]
    if not asked:
        says = "No pair was tried, so there is no best one: call evaluate(learning_rate, reg)."
        return Fault(says, ("best_wrong",))
    by_accuracy = sorted(set(asked), key=table.accuracies.__getitem__)
    what = f"best is {described(best)}; it must be the pair (learning_rate, reg) with the "
    what += "highest accuracy."
    if type(best) not in (tuple, list) or len(best) != 2:
        return Fault(what, ("wrong_type",))
    try:
        pair = (as_number(best[0], "best[0]"), as_number(best[1], "best[1]"))
    except UnfitError:
        return Fault(what, ("wrong_type",))
    if pair == by_accuracy[-1]:
        return None
    if pair == by_accuracy[0] and len(by_accuracy) > 1:
        says = "best is the pair with the lowest accuracy: the highest is the best."
        return Fault(says, ("best_is_worst",))
    if pair[::-1] == by_accuracy[-1]:
        says = "best has its two numbers the wrong way round: (learning_rate, reg)."
        return Fault(says, ("pairs_swapped",))
    place = next((k for k, p in enumerate(by_accuracy[::-1]) if p == pair), None)
    seen = f"the number {place + 1} of all" if place is not None else "none of those tried"
    says = f"best is not the pair with the highest accuracy: {pair} is {seen}."
    return Fault(says, ("best_wrong",))
