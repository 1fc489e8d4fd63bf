"""Judge a search over a grid, by what it asks of a callback that knows all answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from cs231n_helpers.exercises.compare import as_number, as_tuple
from cs231n_helpers.exercises.student_function import (
    Feedback,
    FeedbackError,
    StudentFunction,
    described,
    feedback_of,
)


class RecordingEvaluator:
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
                text = f"evaluate was called with {len(given)} arguments; it takes 2."
                raise FeedbackError(text)
            pair = (as_number(given[0], "learning_rate"), as_number(given[1], "reg"))
        except FeedbackError as error:
            self.misuse = self.misuse or str(error)
            return 0.0
        if len(self.asked) < self.most:
            self.asked.append(pair)
        return self.accuracies.get(pair, 0.0)


def judge_search(
    student: StudentFunction, rng: np.random.Generator, make_rng: Any
) -> dict[str, Feedback]:
    """Judge a search over a grid: where the best pair is first, last and in the middle."""
    found: dict[str, list[Feedback]] = {}
    for place in ("middle", "last", "first"):
        rates = [float(v) for v in np.round(rng.permutation(10 ** rng.uniform(-8, -1, 4)), 12)]
        regs = [float(v) for v in np.round(rng.permutation(10 ** rng.uniform(1, 5, 3)), 3)]
        pairs = [(rate, reg) for rate in rates for reg in regs]
        values = np.sort(rng.choice(np.arange(20, 900), len(pairs), replace=False) / 1000)
        best = {"first": 0, "last": len(pairs) - 1, "middle": int(rng.integers(4, 8))}[place]
        order = np.insert(rng.permutation(len(pairs) - 1), best, len(pairs) - 1)
        accuracies = dict(zip(pairs, values[order].tolist(), strict=True))
        evaluate = RecordingEvaluator(accuracies, 20 * len(pairs))
        returned = student.call(evaluate, rates, regs)
        for part, check in (("all pairs", _check_pairs), ("best", _check_best)):
            if feedback := feedback_of(check, evaluate, returned, student.changed):
                found.setdefault(part, []).append(feedback)
    # what is special (the best is the worst) in one run is chance if it is not so in others
    return {part: min(all_of_it, key=lambda f: f.codes != ("best_wrong",))
            for part, all_of_it in found.items()}  # fmt: skip


def _returned(evaluate: RecordingEvaluator, returned: Any) -> tuple[Any, Any]:
    if evaluate.misuse:
        raise FeedbackError(evaluate.misuse, "wrong_type")
    return as_tuple(returned, "accuracies, best")


def _check_pairs(
    evaluate: RecordingEvaluator, returned: Any, changed: FeedbackError | None
) -> None:
    accuracies, _ = _returned(evaluate, returned)
    if changed:
        raise changed
    pairs, asked = set(evaluate.accuracies), set(evaluate.asked)
    if asked and not asked & pairs and {(b, a) for a, b in asked} <= pairs:
        text = "evaluate gets its arguments the wrong way round: evaluate(learning_rate, reg)."
        raise FeedbackError(text, "pairs_swapped")
    if asked != pairs:
        others = f", and {len(asked - pairs)} that are none" if asked - pairs else ""
        raise FeedbackError(
            f"{len(pairs - asked)} of the {len(pairs)} pairs are never tried{others}: two loops, "
            "one in the other, over all rates and over all strengths.",
            "pairs_missing",
        )
    if len(evaluate.asked) > len(pairs):
        raise FeedbackError(
            f"evaluate is called {len(evaluate.asked)} times for {len(pairs)} pairs: each call "
            "trains a model, so keep its answer.",
            "pairs_repeated",
        )
    if type(accuracies) is not dict:
        raise FeedbackError(
            f"accuracies is {described(accuracies)}; it must be a dict with an accuracy for each "
            "pair (learning_rate, reg).",
            "wrong_type",
        )
    keys = [k for k in accuracies if isinstance(k, tuple)]
    if set(keys) != pairs or len(keys) != len(accuracies):
        swapped = {k[::-1] for k in keys} == pairs
        raise FeedbackError(
            f"accuracies has {len(accuracies)} entries, and of the {len(pairs)} pairs "
            f"(learning_rate, reg) it lacks {len(pairs - set(keys))}"
            + (": its keys are (reg, learning_rate)." if swapped else "."),
            "pairs_swapped" if swapped else "pairs_missing",
        )
    for pair, right in sorted(evaluate.accuracies.items()):
        value = as_number(accuracies[pair], f"accuracies[{pair}]")
        if not abs(value - right) <= 1e-9:
            text = f"accuracies[{pair}] is {value:.4g}, and evaluate returned {right:.4g} for it."
            raise FeedbackError(text, "accuracies_wrong")


def _check_best(evaluate: RecordingEvaluator, returned: Any, changed: Any) -> None:
    _, best = _returned(evaluate, returned)
    tried = {pair for pair in evaluate.asked if pair in evaluate.accuracies}
    if not tried:
        text = "No pair was tried, so there is no best one: call evaluate(learning_rate, reg)."
        raise FeedbackError(text, "best_wrong")
    from_best = sorted(tried, key=evaluate.accuracies.__getitem__, reverse=True)
    try:
        pair = tuple(as_number(v, "best") for v in as_tuple(best, "rate, reg"))
    except FeedbackError:
        raise FeedbackError(
            f"best is {described(best)}; it must be the pair (learning_rate, reg) with the highest "
            "accuracy.",
            "wrong_type",
        ) from None
    if pair == from_best[0]:
        return
    if pair == from_best[-1]:
        text = "best is the pair with the lowest accuracy: the highest is the best."
        raise FeedbackError(text, "best_is_worst")
    if pair[::-1] == from_best[0]:
        text = "best has its two numbers the wrong way round: (learning_rate, reg)."
        raise FeedbackError(text, "pairs_swapped")
    place = f"the number {from_best.index(pair) + 1} of all" if pair in tried else (
        "none of those tried")  # fmt: skip
    text = f"best is not the pair with the highest accuracy: {pair} is {place}."
    raise FeedbackError(text, "best_wrong")
