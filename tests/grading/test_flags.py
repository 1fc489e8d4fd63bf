"""What is flagged and never deducted: loops, finite differences, borrowed models, copies."""

from __future__ import annotations

import ast
import re

import pytest
import right_solutions
from wrong_solutions import WRONG

import cs231n_helpers
from classroom.grading.exercises import FUNCTION
from classroom.grading.flags import copies, flags, pieces, references
from cs231n_helpers.workbook import solutions
from cs231n_helpers.workbook.lessons import solved

PACKAGE = frozenset(cs231n_helpers.__all__)


def renamed(source):
    """Return the same code with other names, comments and spaces."""
    names = {it.id for it in ast.walk(ast.parse(source)) if isinstance(it, ast.Name)} - {
        "np",
        "range",
    }
    for name in sorted(names):
        source = re.sub(rf"\b{name}\b", f"{name}_of_mine", source)
    return source.replace("\n    ", "\n    # a comment\n    ", 1)


@pytest.mark.parametrize("exercise", solutions())
def test_our_own_solutions_have_none(exercise):
    assert flags(exercise, solved(solutions()[exercise]), PACKAGE) == []


@pytest.mark.parametrize(
    ("body", "what", "where"),
    [
        ("for i in range(len(X)): pass", "Loops", "line 2"),
        ("out = [x @ W for i, x in enumerate(X)]", "Loops", "line 2"),
        ("for x in X: pass", "Loops", "line 2"),
        ("i = 0\n    while i < 3: i += 1", "Loops", "line 3"),
        ("f = np.vectorize(abs)", "Loops", "line 2"),
        ("return (loss(X + h) - loss(X - h)) / (2 * h)", "Finite differences", "line 2"),
        ("return eval_numerical_gradient(f, X)", "Finite differences", "line 2"),
        ("return svm_input_gradient(W, X, y)", "Calls of the package", "svm_input_gradient"),
        ("from cs231n_helpers.losses import _hinge as h", "Calls of the package", "_hinge"),
    ],
)
def test_what_is_against_the_exercise(body, what, where):
    found = flags("svm_dx", f"def svm_dx(W, X, y, delta=1.0):\n    {body}", PACKAGE)
    assert found[0].startswith(what)
    assert found[0].endswith(f": svm_dx ({where})")


@pytest.mark.parametrize(
    ("exercise", "body"),
    [
        ("svm_naive", "for i in range(3): pass"),
        ("net_backward", "for name in ('W1', 'W2'): grads[name] += reg * params[name]"),
        ("svm_dx", "return (a(X) - b(X)) / 2"),
        ("sgd", "for i in range(num_iters): pass"),
        ("svm_dx", "this is no Python"),
    ],
)
def test_what_is_not(exercise, body):
    assert flags(exercise, f"def f(W, X, y):\n    {body}", PACKAGE) == []


AS_REFERENCE = "As in the reference"
UNTELLING = {"penalty", "sgd", "search", "relu_backward", "sgd_momentum"}


@pytest.mark.parametrize("exercise", solutions())
def test_a_reference_that_was_pasted_in(exercise):
    reference = solutions()[exercise]
    given = flags(exercise, f"import numpy as np\n\n{reference}\n", PACKAGE, reference)
    assert given == [f"{AS_REFERENCE}: {FUNCTION[exercise]}"]
    bare = solved(reference).replace("    ", "  ")
    assert bool(flags(exercise, bare, PACKAGE, reference)) == (exercise not in UNTELLING)


def with_its_docstring(exercise, source):
    """Return a solution as a student hands it in, below what stands in the cell."""
    head = solutions()[exercise].partition("    ### BEGIN")[0]
    return head + source.strip().partition(":\n")[2]


@pytest.mark.parametrize(
    ("exercise", "source"),
    [(e, source) for e, _, source in right_solutions.RIGHT]
    + [(w.exercise, w.source) for w in WRONG],
)
def test_nobody_elses_solution_is_as_in_the_reference(exercise, source):
    source = with_its_docstring(exercise, source)
    assert AS_REFERENCE not in "".join(flags(exercise, source, PACKAGE, solutions()[exercise]))


def test_without_a_reference_nothing_is_as_in_it(tmp_path):
    assert references(tmp_path / "reference.zip") == {}
    assert flags("svm_dx", "def svm_dx(W, X, y): pass", PACKAGE) == []


@pytest.fixture(scope="module")
def class_of_many():
    """Everybody's own solutions: ours, others, and each with one mistake."""
    right, others = solutions(), {e: source for e, _, source in right_solutions.RIGHT}
    everybody = {"ours": right, "theirs": {**right, **others}}
    for k, wrong in enumerate(WRONG):
        everybody[f"student {k}"] = {**(right if k % 2 else others), wrong.exercise: wrong.source}
    return everybody


def test_a_copy_is_found_whatever_its_names(class_of_many):
    odd = "def svm_dx(W, X, y, delta=1.0):\n" + "".join(
        f"    part_{k} = (X[:, {k}:] @ W[{k}:, ::{k + 1}]).cumsum(axis={k % 2}) ** {k} - {k * 7}\n"
        for k in range(9)
    )
    copied = {"anna": {"svm_dx": odd}, "bob": {"svm_dx": renamed(odd)}}
    (pair,) = [it for it in alike({**class_of_many, **copied}) if it.first == "anna"]
    assert (pair.second, pair.exercises) == ("bob", ("svm_dx",))
    assert pair.share > 0.9


def alike(sources):
    return copies({name: {e: pieces(it) for e, it in of.items()} for name, of in sources.items()})


def test_those_who_solve_it_as_it_was_taught_are_no_copies():
    assert alike({f"student {k}": dict(solutions()) for k in range(30)}) == []


@pytest.mark.parametrize("source", ["", "(" * 9999, '"""', "\x00", "x " * 50_000])
def test_what_is_no_python(source):
    assert len(pieces(source)) < 5_000
