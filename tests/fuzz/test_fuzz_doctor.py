"""Some of the cases that ``python tests/fuzz/doctor.py`` makes by the thousand."""

from doctor import outcome


def test_odd_input_to_check_gradient_is_judged_rightly_or_refused():
    assert [problem for _, problem in map(outcome, range(60)) if problem] == []
