"""The lessons keep their measures."""

from __future__ import annotations

import lessons
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output


@pytest.mark.parametrize("name", lessons.NAMES)
def test_a_lesson_keeps_its_measures(name):
    assert list(lessons.problems(name)) == []


PICTURE = [new_output("display_data", {"image/png": "eA==", "text/plain": "A line."})]
TRUE, FALSE = new_output("stream", text="over 1: True\n"), {"text/plain": "False"}


def found(*cells):
    return [problem for k in range(len(cells)) for problem in lessons.problems_of_cell(cells, k)]


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([new_markdown_cell("The mean (M12) of $M_2$")], "names M12, which only the map should"),
        ([new_markdown_cell("See [it](../data/README.md)")], "links to ../data/README.md"),
        ([new_markdown_cell("See [it](04_gone.ipynb#a)")], "links to 04_gone.ipynb"),
        ([new_code_cell("assert 1\nassert 2")], "has 2 asserts"),
        ([new_code_cell("assert 1\nnp.testing.assert_allclose(a, b)")], "has 2 asserts"),
        ([new_code_cell("1", outputs=[TRUE])], "prints True"),
        ([new_code_cell("1", outputs=[new_output("execute_result", FALSE)])], "prints False"),
        ([new_markdown_cell("Look."), new_code_cell("f()", outputs=PICTURE)], "draws a figure"),
    ],
)  # fmt: skip
def test_each_measure_of_a_cell(cells, text):
    (problem,) = found(*cells)
    assert text in problem


def test_what_may_be():
    ladder = "**What to see:** [05](05_three_gradients.ipynb), [here](#1.-A), `A1 = 3` and $M_1$."
    assert not found(new_markdown_cell(ladder), new_code_cell("assert f()", outputs=PICTURE))


def test_words_are_those_of_the_text():
    text = "Two words, $x + y$ three.\n\n$$a = b$$\n\n```python\nx = 1\n```\n<b>last</b>"
    assert lessons.words(text) == ["Two", "words,", "$x", "+", "y$", "three.", "last"]
