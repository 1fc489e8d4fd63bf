"""Behind each finding stands why it happens, a next step and a question."""

from __future__ import annotations

import numpy as np
import pytest

from cs231n_helpers import check_gradient
from cs231n_helpers.doctor import Code
from cs231n_helpers.doctor.explanations import explanation, explanations

SEEN = check_gradient(lambda w: (w @ w, w), np.array([1.0, 2.0])).seen


def test_each_code_has_an_explanation():
    assert set(explanations()) >= set(Code)


@pytest.mark.parametrize("code", Code)
def test_an_explanation_is_short_and_has_four_parts(code):
    seen, why, step, question = explanation(code, SEEN)
    assert seen.startswith("Seen: along a random direction your gradient promises ")
    assert why.startswith("Why: Two ")
    assert step.startswith("Next: ")
    assert question.startswith("Question: ")
    assert question.endswith("?")
    assert 80 <= len(" ".join([seen, why, step, question]).split()) <= 160


def test_an_explanation_is_folded_under_its_finding():
    report = check_gradient(lambda w: (w @ w, w), np.array([1.0, 2.0]))
    html, text = report._repr_html_(), report.explain()
    assert html.count("<details>") == html.count("</details>") == 1
    assert "Two examples with residuals 1 and -3." in html
    assert str(report).splitlines()[1] in text
    assert "Seen: along a random direction your gradient promises the slope" in text
    assert "Two examples" not in str(report)
