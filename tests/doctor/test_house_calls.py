"""Calls that people make: right ones in unusual styles, and mistakes put into them."""

from __future__ import annotations

import pytest
from house_calls import RIGHT, WRONG, mistakes, reported  # noqa: F401, they fill the lists

FALLS_SHORT = {name: why for why, names in mistakes.FALLS_SHORT.items() for name in names}

# unlike any known loss, or deep: a tenth of a second and more for each
SLOW = {
    "a net",
    "a row of W1 lands on b1",
    "b1 from a wrong dW1",
    "columns_at_right_angles",
    "deep net without slopes",
    "elu_into_softmax",
    "focal",
    "focal loss, plain slope",
    "gelu",
    "label after",
    "layers_as_objects",
    "mean over features",
    "mean over features of columns",
    "net read in place, without its mask",
    "net without a penalty in W1",
    "rewards_entropy",
    "scores clipped on the way",
    "smoothed_labels",
    "softmax_at_a_temperature",
    "three columns, no hidden slopes",
    "waves",
}


def each(cases):
    def marks(name):
        why = FALLS_SHORT.get(name)
        slow = [pytest.mark.slow] if name in SLOW else []
        return [*slow, *([pytest.mark.xfail(reason=why, strict=True)] if why else [])]

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
    assert FALLS_SHORT.keys() | SLOW <= set(names)
    assert len(RIGHT) > 100
