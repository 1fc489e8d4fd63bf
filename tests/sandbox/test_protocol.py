"""Values arrive as they were; what is no frame is refused before anything is made of it."""

from __future__ import annotations

import numpy as np
import pytest

from classroom.sandbox.protocol import (
    LENGTHS,
    MalformedError,
    Reader,
    UnsendableError,
    Writer,
    frame,
    parse,
)


def sent(value):
    """Return what arrives of a value."""
    writer = Writer()
    content = frame({"value": writer.form(value)}, writer.body)
    text_length, body_length = LENGTHS.unpack(content[: LENGTHS.size])
    text, body = content[LENGTHS.size :][:text_length], content[LENGTHS.size + text_length :]
    assert len(body) == body_length
    return Reader(body).value(parse(text)["value"])


def same(a, b):
    """Say whether values are of one type and equal to the last bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return repr(a) == repr(b)


@pytest.mark.parametrize(
    "dtype",
    [*(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)), "float16", "float32", "float64"],
)
def test_arrays_pass_bit_by_bit(dtype):
    rng = np.random.default_rng(1)
    size = np.dtype(dtype).itemsize
    array = np.frombuffer(rng.bytes(60 * size), dtype).reshape(3, 4, 5)  # NaNs of all kinds too
    for value in (array, array[:, ::2].T, array[0, 0, 0], array[:0], np.asfortranarray(array[0])):
        assert same(sent(value), value if isinstance(value, np.generic) else value.copy("C"))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(2**70), 0.1, -0.0, float("nan"), float("-inf"), "", "\u00ef\U0001f600\n\0",
        [], (), {}, np.bool_(True), np.array([True, False]), np.array(3.0), np.float32(0.1),
        {(1e-3, 10): 0.5, "a": [1, (2, {"b": None})], None: np.arange(3)}, [[[[[[1]]]]]],
    ],
)  # fmt: skip
def test_plain_values_pass_as_they_are(value):
    assert same(sent(value), value)


@pytest.mark.parametrize(
    "form",
    [
        {}, {"a": 1}, {"a": ["float64"]}, {"a": ["float64", [-1]]}, {"a": ["float64", [2**70]]},
        {"a": ["float64", [2]]}, {"a": ["object", [0]]}, {"a": ["V8", [1]]}, {"n": "float128"},
        {"a": ["float64", [True]]}, {"a": [["float64"], [1]]},
        {"t": 1}, {"d": [[1]]}, {"d": [[[1], 2]]}, {"d": {"a": 1}}, {"r": 0}, {"f": 0}, {"x": 0},
        {"t": [], "d": []}, [[]] * 100_001, {"d": [[i, i] for i in range(5001)]},
    ],
    ids=lambda form: str(form)[:30],
)  # fmt: skip
def test_forms_that_are_none(form):
    with pytest.raises((TypeError, ValueError)):
        Reader(bytes(8)).value(form)


def test_nested_forms_have_an_end():
    form = []
    for _ in range(100):
        form = [form]
    with pytest.raises(MalformedError, match="nested too deeply"):
        Reader(b"").value(form)
    with pytest.raises(MalformedError, match="no JSON"):
        parse(b"[" * 1_000_000)
    with pytest.raises(MalformedError, match="no JSON"):
        parse(b'{"id": ' + b"9" * 10_000 + b"}")
    with pytest.raises(UnsendableError, match="bytes of text"):
        frame({"x": "y" * (5 << 20)}, [])
