"""A few hundred calls with odd arguments; `calls` makes any number."""

from __future__ import annotations

import numpy as np
import pytest
from calls import case
from runner import run


@pytest.mark.parametrize("block", range(4))
def test_odd_calls_return_what_is_right_or_are_refused(block):
    _, violations = run(case, [(block, number) for number in range(150)])
    assert not violations


def test_a_case_is_the_same_again():
    assert case(np.random.default_rng([1, 2])) == case(np.random.default_rng([1, 2]))
