"""Some checks of odd losses; `doctor` makes any number."""

from __future__ import annotations

import numpy as np
from doctor import case
from runner import run


def test_odd_input_to_check_gradient_is_judged_rightly_or_refused():
    counts, violations = run(case, [(0, number) for number in range(60)])
    assert not violations
    assert {"correct", "wrong", "our error"} <= counts.keys()


def test_one_direction_with_a_tiny_slope_near_a_kink_clears_no_gradient():
    assert case(np.random.default_rng([7, 5095])) == "wrong"  # its sign is
