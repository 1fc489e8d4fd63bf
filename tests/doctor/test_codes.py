"""The codes are one vocabulary: of the declared mistakes, of the corpus and of what is found."""

import re
from pathlib import Path

import pytest
from corpus import linear, nets, vectors

from cs231n_helpers import Finding, doctor
from cs231n_helpers.doctor.codes import Code


@pytest.mark.parametrize("corpus", [linear, nets, vectors])
def test_every_label_of_the_corpus_is_a_code(corpus):
    labels = {entry["diagnosis"] for entry in corpus.REGISTRY} - {None}
    assert labels.union(*corpus.EQUIVALENT.values()) <= set(Code)


def test_every_code_is_used():
    """And every code that is named, in docstrings too, exists."""
    folder = Path(doctor.__file__).parent
    source = "".join(
        path.read_text("utf-8") for path in folder.glob("*.py") if path.stem != "codes"
    )
    assert set(re.findall(r"\bCode\.([A-Z0-9_]+)", source)) == set(Code.__members__)


def test_a_code_is_its_text():
    assert (str(Code.SIGN), repr(Code.SIGN), f"{Code.SIGN}") == ("sign", "'sign'", "sign")
    assert Code("scale_N") is Code.SCALE_N == "scale_N"


@pytest.mark.parametrize(
    ("template", "where", "message", "about"),
    [
        ("{it} is N times too large", "everywhere", "It is N times too large",
         "dW is N times too large"),
        ("{it} alone is wrong", "row 2", "It alone is wrong", "row 2 of dW alone is wrong"),
        ("the sign is wrong", "everywhere", "The sign is wrong", "The sign is wrong"),
        ("the sign is wrong", "row 2", "The sign is wrong", "row 2 of dW: The sign is wrong"),
    ],
)  # fmt: skip
def test_about_calls_the_gradient_by_its_name(template, where, message, about):
    finding = Finding.of_gradient(Code.SIGN, template, where=where)
    assert (finding.message, finding.about("dW")) == (message, about)
    assert finding.as_caution().about("dW") == about
