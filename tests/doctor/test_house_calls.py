"""Calls that people make: right ones in unusual styles, and mistakes put into them."""

from __future__ import annotations

import pytest
from house_calls import RIGHT, WRONG, mistakes, reported  # noqa: F401, they fill the lists

FALLS_SHORT = {name: why for why, names in mistakes.FALLS_SHORT.items() for name in names}


def each(cases):
    def marks(name):
        why = FALLS_SHORT.get(name)
        return [pytest.mark.xfail(reason=why, strict=False)] if why else []

    return pytest.mark.parametrize(
        "case", [pytest.param(c, id=c.name, marks=marks(c.name)) for c in cases]
    )


@each(RIGHT)
def test_what_is_right_is_called_right(case):
    report = case.report()
    assert not case.complaints(report), str(report)


@each(WRONG)
def test_what_goes_wrong_is_told_as_it_is(case):
    report = case.report()
    assert not case.complaints(report), str(report)


def test_each_name_stands_for_one_case():
    names = [case.name for case in RIGHT + WRONG]
    assert sorted(names) == sorted(set(names))
    assert FALLS_SHORT.keys() <= set(names)
    assert len(RIGHT) > 100
