"""Some cases of the fuzzer of pictures, explorers and searches; thousands are run by hand."""

from __future__ import annotations

from pictures import case
from runner import run


def test_odd_arguments_of_pictures_and_searches():
    counts, violations = run(case, [(0, k) for k in range(100)])
    assert not violations, next(iter(violations.items()))
    assert sum("refused" in outcome for outcome in counts) > 5
