"""A few hundred damaged data sets; `files` makes any number."""

from __future__ import annotations

import pytest
from files import case
from runner import run

from cs231n_helpers.datasets import cifar10


@pytest.mark.parametrize("block", range(2))
def test_damaged_files_are_refused_or_loaded_as_what_they_hold(block):
    _, violations = run(case, [(block, number) for number in range(120)])
    assert not violations


def test_loader_that_takes_the_files_in_another_order_is_noticed(monkeypatch):
    monkeypatch.setattr(cifar10, "CIFAR10_STEMS", cifar10.CIFAR10_STEMS[::-1])
    _, violations = run(case, [(2, number) for number in range(20)])
    found = {str(error).rpartition(": ")[2] for error in violations.values()}
    assert "X_train is not what the files hold" in found
