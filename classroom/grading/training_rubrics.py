"""Judge training loops: gradient descent on minibatches, of W or of the parameters of a net.

The student's function gets a loss that writes down what it is asked and answers with known
numbers. Minibatches, steps, rates and losses are judged from that record by what must hold of
them, not against one stream of random numbers.

Shapes: N examples, D features, C classes, H hidden units, B rows of a minibatch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs231n_helpers.doctor.snapshot import copied
from cs231n_helpers.exercises.compare import Array, as_array, as_number, as_numbers, as_tuple
from cs231n_helpers.exercises.student_function import (
    CallError,
    Feedback,
    FeedbackError,
    StudentFunction,
    described,
    feedback_of,
)

from .hidden_data import Arrays, cast, draw_net, draw_sizes, draw_strength, normal

MakeRng = Callable[[int], Any]
same = partial(np.allclose, rtol=1e-6, atol=1e-9, equal_nan=True)


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


class RecordingLoss:
    """A loss function with known answers that writes down what it is asked, and never raises.

    loss = a/2 sum((P - T)**2) + m sum(U P), where m is a number that depends on the batch.
    """

    STEEP = 0.4
    MOST = 1200  # calls that are written down
    LARGEST = 1 << 22  # numbers in all minibatches that are kept

    def __init__(self, rng: np.random.Generator, params: Any, features: int) -> None:
        self.is_net = isinstance(params, dict)
        self.argument = "params" if self.is_net else "W"
        self.start: Arrays = cast(params if self.is_net else {"W": params}, np.float64)
        self.center = {k: normal(rng, 1.0, *v.shape) for k, v in self.start.items()}
        self.tilt = {k: normal(rng, 0.5, *v.shape) for k, v in self.start.items()}
        self.mix = normal(rng, 1.0, features)
        self.asked: list[Asked] = []
        self.kept = 0
        self.misuse = ""

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[float, Any]:
        """Answer (loss, gradient), whatever it is called with."""
        given = [*args, *kwargs.values()]
        try:
            if len(given) != 4:
                form = f"loss_function({self.argument}, X_batch, y_batch, reg)"
                text = f"It was called with {len(given)} arguments instead of as {form}."
                raise FeedbackError(text)
            asked = self.answer(*given)
        except FeedbackError as error:
            self.misuse = self.misuse or f"In a call of loss_function: {error}"
            asked = Asked(self.start, np.zeros((0, 0)), np.zeros(0), 0.0, 0.0, self.tilt)
        else:
            self.kept += asked.X.size
            if len(self.asked) < self.MOST and self.kept <= self.LARGEST:
                self.asked.append(asked)
        return asked.value, self.as_given(copied(asked.gradient))

    def as_given(self, arrays: Arrays) -> Any:
        """Arrays in the form that the exercise has: a dict, or W alone."""
        return arrays if self.is_net else arrays["W"]

    def fresh(self) -> RecordingLoss:
        """The same loss, which has been asked nothing."""
        twin = copy(self)
        twin.asked, twin.kept, twin.misuse = [], 0, ""
        return twin

    def answer(self, params: Any, X: Any, y: Any, reg: Any) -> Asked:
        P = self.arrays(params)
        rows = len(X) if type(X) is np.ndarray and X.ndim == 2 else -1
        X = as_array(X, (max(rows, 1), len(self.mix)), "X_batch")
        size = len(y) if type(y) is np.ndarray and y.ndim == 1 else rows
        y = as_array(y, (size,), "y_batch")
        m = float((X @ self.mix).mean())
        gradient = {k: self.STEEP * (P[k] - self.center[k]) + m * self.tilt[k] for k in P}
        return Asked(P, X, y, as_number(reg, "reg"), self.value(P, X), gradient)

    def value(self, P: Arrays, X: Array) -> float:
        m = float((X @ self.mix).mean())
        bowl = sum(float(((P[k] - self.center[k]) ** 2).sum()) for k in P)
        return self.STEEP / 2 * bowl + m * sum(float((self.tilt[k] * P[k]).sum()) for k in P)

    def arrays(self, params: Any) -> Arrays:
        """The student's parameters by name, else FeedbackError."""
        if not self.is_net:
            return {"W": as_array(params, self.start["W"].shape, "W")}
        if type(params) is not dict:
            text = f"params is {described(params)}; it must be a dict of arrays."
            raise FeedbackError(text, "wrong_type")
        for k in self.start:
            if k not in params:
                raise FeedbackError(f"params has no entry {k!r}.", "missing_key")
        return {k: as_array(params[k], v.shape, f"params[{k!r}]") for k, v in self.start.items()}


@dataclass(frozen=True)
class Task:
    """What a training loop is called with."""

    loss: RecordingLoss
    X: Array
    y: NDArray[np.int64]
    rate: float
    reg: float
    batch_size: int
    decay: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Run(Task):
    """One run of a training loop, as its callback and its return value tell it."""

    num_iters: int
    changed: FeedbackError | None
    final: Arrays | None = None
    malformed: FeedbackError | None = None  # the parameters returned
    losses: Any = None

    @property
    def asked(self) -> list[Asked]:
        return self.loss.asked

    @property
    def points(self) -> list[Arrays]:
        """The parameters in each call, and those returned."""
        return [a.params for a in self.asked] + ([self.final] if self.final else [])

    def step(self, k: int) -> Arrays:
        """How the parameters went on from call k."""
        before, after = self.points[k], self.points[k + 1]
        return {name: after[name] - before[name] for name in before}

    @cached_property
    def steps(self) -> list[int]:
        """Which calls steps are taken from: if there are too many, those where something moves."""
        calls = list(range(min(len(self.asked), len(self.points) - 1)))
        if len(self.asked) == self.num_iters:
            return calls
        return [k for k in calls if any(v.any() for v in self.step(k).values())] or calls

    def rates(self, tolerance: float) -> list[dict[str, float | None]]:
        """For each step and array r with change = -r * gradient; None where there is no such r."""
        found = []
        for k in self.steps:
            rates: dict[str, float | None] = {}
            for name, d in self.step(k).items():
                g = self.asked[k].gradient[name]
                r = -float((d * g).sum() / (g * g).sum())
                size = max(float(np.abs(d).max()), 1e-9)
                fits = np.isfinite(d).all() and float(np.abs(d + r * g).max()) <= tolerance * size
                rates[name] = r if fits or not d.any() else None
            found.append(rates)
        return found

    def subtracts_decay(self, rates: Sequence[float] | Array) -> bool:
        """Tell whether the rates fall by `decay` after each epoch, or after each step."""
        steps = np.arange(len(rates))
        epoch = max(len(self.X) // self.batch_size, 1)
        return self.decay != 1 and any(
            bool(times.any()) and np.allclose(rates, self.rate - self.decay * times, atol=1e-4)
            for times in (steps // epoch, steps)
        )

    def decays(self, rate: float) -> int | None:
        """How often a rate has decayed; without decay 0. None where it is not that."""
        if not 0 < rate < np.inf:
            return None
        near = 0 if self.decay == 1 else round(float(np.log(rate / self.rate) / np.log(self.decay)))
        return near if abs(rate - self.rate * self.decay**near) <= 1e-3 * rate else None


def _draw_task(rng: np.random.Generator, net: bool, short_epoch: bool = False) -> Task:
    """Draw a task; in a short epoch a minibatch is larger than all the data."""
    N, D, C, H = draw_sizes(rng)
    N, B, D = (8, 11, 9) if short_epoch else (N, int(rng.integers(4, 7)), D)
    while N % B == 0:
        B = int(rng.integers(4, 7))
    params = draw_net(rng, 0.5, D, H, C) if net else normal(rng, 0.5, D, C)
    y = rng.permutation(np.r_[np.arange(C), rng.integers(0, C - 1, max(N - C, 0))])[:N]
    rate, decay = round(rng.uniform(0.06, 0.16), 3), round(rng.uniform(0.7, 0.9), 2)
    loss, X, reg = RecordingLoss(rng, params, D), normal(rng, 1.0, N, D), draw_strength(rng)
    return Task(loss, X, y, rate, reg, B, decay if net else 1.0)


def _run(
    student: StudentFunction, task: Task, given_rng: Any, num_iters: int, dtype: Any = np.float64
) -> Run:
    loss = task.loss.fresh()
    returned = student.call(
        loss, cast(loss.as_given(loss.start), dtype), task.X.astype(dtype), task.y,
        task.rate, *([task.decay] if loss.is_net else []), task.reg,
        num_iters, task.batch_size, given_rng,
    )  # fmt: skip
    settings = {**vars(task), "loss": loss, "num_iters": num_iters}
    run = partial(Run, **settings, changed=student.changed)
    losses = None
    try:
        final, losses = as_tuple(returned, f"{loss.argument}, losses")
        return run(final=loss.arrays(final), losses=losses)
    except FeedbackError as error:
        return run(malformed=error, losses=losses)


# ---- what must hold ----


def judge_training(
    student: StudentFunction, rng: np.random.Generator, make_rng: MakeRng, *, net: bool
) -> dict[str, Feedback]:
    """Judge gradient descent on minibatches, of W or of the parameters of a net."""
    seed, other_seed = (int(s) for s in rng.integers(0, 2**31, 2))
    start, task = partial(_run, student), _draw_task(rng, net)
    run = start(task, make_rng(seed), 61)
    if run.loss.misuse or not run.asked:
        feedback = Feedback(
            run.loss.misuse
            or "loss_function is never called: call it once in each step, with the "
            "current parameters and the minibatch.",
            ("wrong_type" if run.loss.misuse else "no_update",),
        )
        return dict.fromkeys(("minibatches", "update", "decay", "losses"), feedback)
    repeated = [start(task, make_rng(s), 9) for s in (seed, seed, other_seed)]
    short = start(_draw_task(rng, net), make_rng(other_seed), 9, np.float32)
    found = {
        "minibatches": feedback_of(_check_batches, run) or feedback_of(_check_rng, *repeated),
        "update": feedback_of(_check_update, run),
        "losses": feedback_of(_check_losses, run),
    }
    if not found["update"] and (wrong := feedback_of(_check_update, short, 1e-3)):
        found["update"] = wrong.in_float32()
    if net:
        few = partial(start, _draw_task(rng, net, short_epoch=True), make_rng(other_seed), 4)
        found["decay"] = feedback_of(_check_decay, run) or feedback_of(_check_short_epoch, few)
    return {part: it for part, it in found.items() if it}


def _check_batches(run: Run) -> None:
    size, N = run.batch_size, len(run.X)
    batches = [run.asked[k] for k in run.steps]
    for k, batch in enumerate(batches):
        if len(batch.X) != size or len(batch.y) != size:
            raise FeedbackError(
                f"The minibatch of step {k} has {len(batch.X)} rows and {len(batch.y)} labels, and "
                f"batch_size is {size} (of {N} examples): rng.choice(len(X), batch_size).",
                "batch_size",
            )
    apart = [np.abs(b.X[:, np.newaxis] - run.X).max(axis=2) for b in batches]  # (B, N) each
    if any((d.min(axis=1) > 1e-5).any() for d in apart):
        text = "A minibatch holds rows that are no rows of X: take X[rows], unchanged."
        raise FeedbackError(text, "wrong_index")
    rows = [d.argmin(axis=1) for d in apart]
    mismatched = sum((run.y[r] != b.y).any() for r, b in zip(rows, batches, strict=True))
    if mismatched:
        raise FeedbackError(
            f"In {mismatched} of {len(batches)} steps the labels belong to other rows than those "
            "of X_batch: draw the indices once, and use them for both, X[rows] and y[rows].",
            "labels_mismatched",
        )
    if all(np.array_equal(r, rows[0]) for r in rows):
        text = "Every step sees the same minibatch: draw a new one in each step, inside the loop."
        raise FeedbackError(text, "same_batch")
    left_out = sorted(set(range(N)) - {int(i) for r in rows for i in r})
    if left_out:
        raise FeedbackError(
            f"In {len(rows)} steps {len(left_out)} of the {N} examples never turn up, the first "
            f"of them number {left_out[0]}: draw from all of them, rng.choice(len(X), batch_size).",
            "rows_missing",
        )


def _check_rng(run: Run, again: Run, other: Run) -> None:
    """The same generator gives the same minibatches, another one others."""
    first, same_seed, other_seed = ([r.asked[k].X for k in r.steps] for r in (run, again, other))
    if not _all_equal(first, same_seed):
        raise FeedbackError(
            "Two runs with generators of the same seed see other minibatches: draw with the "
            "argument rng, rng.choice, and not with np.random, so that a run can be repeated.",
            "rng_ignored",
        )
    if _all_equal(first, other_seed):
        raise FeedbackError(
            "Runs with generators of different seeds see the same minibatches: draw with the "
            "argument rng, rng.choice(len(X), batch_size), and make no generator of your own.",
            "rng_ignored",
        )


def _all_equal(a: Collection[Array], b: Collection[Array]) -> bool:
    return len(a) == len(b) and all(map(np.array_equal, a, b))


def _check_update(run: Run, tolerance: float = 1e-6) -> None:
    for error in (run.changed, run.malformed):
        if error:
            raise error
    for asked in run.asked:
        if asked.reg != run.reg:
            raise FeedbackError(
                f"loss_function is called with reg = {asked.reg:g}, and reg is {run.reg:g}: pass "
                "it on.",
                "ignores_argument",
            )
    name, first = run.loss.argument, run.asked[0].params.values()
    if all(_all_equal(a.params.values(), first) for a in run.asked[1:]):
        raise FeedbackError(
            f"loss_function sees the same {name} in every step: update it, {name} - learning_rate "
            "* gradient, and call loss_function with the new one.",
            "no_update",
        )
    if len(run.steps) != run.num_iters:
        text = f"It takes {len(run.steps)} steps, and num_iters is {run.num_iters}."
        raise FeedbackError(text, "wrong_steps")
    rates = run.rates(tolerance)
    if run.final and _all_equal(run.final.values(), first):
        text = f"The {name} that is returned is the one that was given: return the last one."
        raise FeedbackError(text, "last_step_missing")
    if not any(rates[-1].values()) and all(any(r.values()) for r in rates[:-1]):
        raise FeedbackError(
            f"The {name} that is returned lacks the last step: return the one after it, which the "
            "loss function has not seen.",
            "last_step_missing",
        )
    for part in run.loss.start:
        _check_rates(run, part, [r[part] for r in rates])


def _check_rates(run: Run, name: str, found: list[float | None]) -> None:
    """Look at the steps of one array; the decay is looked at elsewhere."""
    rates = [r for r in found if r is not None]
    if len(rates) < len(found):
        raise FeedbackError(
            f"The step of {name} is no multiple of the gradient that loss_function has just "
            f"returned: {name} - learning_rate * gradient.",
            "stale_gradient" if _is_stale(run, name) else "unexplained",
        )
    if not any(rates):
        raise FeedbackError(f"{name} never changes: update it in every step.", "no_update")
    decays = [run.decays(r) for r in rates]
    if all(n is not None and n >= 0 for n in decays) or run.subtracts_decay(rates):
        return
    if all(run.decays(-r) is not None for r in rates):
        raise FeedbackError(
            f"The step of {name} goes uphill: the gradient is added; subtract it, "
            f"{name} - learning_rate * gradient.",
            "sign",
        )
    first = rates[0]
    if abs(first - 1) < 1e-3 or (run.decay != 1 and abs(first - run.decay) < 1e-3):
        text = f"The step of {name} is the gradient itself: multiply it by learning_rate."
        raise FeedbackError(text, "ignores_argument")
    N, B, ratio = len(run.X), run.batch_size, first / run.rate
    if np.ptp(rates) > 1e-3 * abs(first):
        raise FeedbackError(
            f"The rate of the steps of {name} changes: {first:.4g} first, {rates[-1]:.4g} last, "
            f"and learning_rate is {run.rate:g}.",
            "scale_const",
        )
    usual = {"batch_size": B, "1 / batch_size": 1 / B, "N": N, "1 / N": 1 / N, "2": 2, "1/2": 0.5}
    called = next((k for k, v in usual.items() if abs(ratio - v) < 1e-3 * v), f"{ratio:.3g}")
    raise FeedbackError(
        f"The steps of {name} are {called} times what they should be: learning_rate * gradient, "
        "where the gradient is a mean already.",
        "scale_const",
    )


def _is_stale(run: Run, name: str) -> bool:
    """Whether each step uses the gradient of an earlier call."""
    return any(
        np.allclose(run.step(k)[name], -run.rate * earlier.gradient[name], rtol=1e-4, atol=1e-9)
        for k in run.steps[1:4]
        for earlier in run.asked[:k]
    )


def _check_losses(run: Run) -> None:
    if run.malformed and run.losses is None:
        raise run.malformed
    losses = as_numbers(run.losses, "losses", "a list with one number a step")
    right = np.array([run.asked[k].value for k in run.steps])
    if len(losses) != len(right):
        text = f"losses has {len(losses)} numbers for {len(right)} steps: append one in each step."
        raise FeedbackError(text, "wrong_shape")
    if same(losses, right):
        return
    after = [run.loss.value(run.points[k + 1], run.asked[k].X) for k in run.steps]
    if same(losses, after) or np.allclose(losses[:-1], right[1:], equal_nan=True):
        raise FeedbackError(
            "losses holds the loss after each step: keep the one that loss_function returned "
            "before it, together with the gradient.",
            "losses_after_step",
        )
    i = next(i for i, (a, b) in enumerate(zip(losses, right, strict=True)) if not same(a, b))
    raise FeedbackError(
        f"losses[{i}] is {losses[i]:.5g}, and loss_function returned {right[i]:.5g} in step {i}: "
        "keep each value as it is.",
        "losses_wrong",
    )


def _check_decay(run: Run) -> None:
    """Compare how often the rate has decayed in each step; its first value is another part."""
    rates = [next((r for r in step.values() if r), None) for step in run.rates(1e-6)]
    if run.malformed is not None or not rates or any(r is None for r in rates):
        text = "How the learning rate decays cannot be seen before the update is right."
        raise FeedbackError(text, "unexplained")
    signed = np.array(rates, dtype=np.float64)
    sizes = np.abs(signed)
    epoch = max(len(run.X) // run.batch_size, 1)
    right = np.arange(len(sizes)) // epoch
    found = np.log(sizes / sizes[0]) / np.log(run.decay)
    early = run.decays(sizes[0])
    fits = np.isclose(found, right, atol=1e-3)
    if fits.all() and not early:
        return
    every = f"multiply it by decay after each epoch of N // batch_size = {epoch} steps"
    if run.subtracts_decay(signed):
        text = (
            f"decay is subtracted from the learning rate, which is to be multiplied by it: {every}."
        )
        raise FeedbackError(text, "decay_subtracted")
    if np.allclose(found, 0, atol=1e-3):
        raise FeedbackError(f"The learning rate never decays: {every}.", "decay_missing")
    if np.allclose(found, np.arange(len(sizes)), atol=1e-3):
        raise FeedbackError(f"The learning rate decays in each step: {every}.", "decay_each_step")
    if early and fits.all():
        text = f"The learning rate has decayed before the first step: {every}."
        raise FeedbackError(text, "decay_early")
    i = int(fits.argmin())
    raise FeedbackError(
        f"In step {i} (counted from 0) the learning rate has been multiplied by decay "
        f"{abs(round(found[i], 2)):g} times, and should have been {right[i]}: {every}, an integer.",
        "decay_wrong",
    )


def _check_short_epoch(start: Callable[[], Run]) -> None:
    try:
        run = start()
    except CallError as error:
        text = error.feedback.sentence
        if re.search("divi|modulo", text):
            text = f"With batch_size = 11 and N = 8, {text}: an epoch has max(N // batch_size, 1) "
            raise FeedbackError(f"{text}steps.", "raises") from None
        return  # drawn without replacement, which nobody forbids
    if len(run.steps) == run.num_iters:
        _check_decay(run)
