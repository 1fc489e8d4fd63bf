"""Layouts unpack what was packed by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cs231n_helpers.doctor.layouts import flat_layouts, linear_layouts, net_layouts

SIZES = (3, 5, 2)  # other than those that the layouts are found with
LAYERS = [
    (np.arange(i * o).reshape(i, o) + 100.0 * k, np.arange(o) + 100.0 * k + 50)
    for k, (i, o) in enumerate(pairwise(SIZES))
]
(W1, b1), (W2, b2) = LAYERS


def assert_layers(found, expected):
    for (W, b), (W_expected, b_expected) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(W, W_expected)
        np.testing.assert_array_equal(b, b_expected)


PACKED = {  # of matrices (in, out): rows of W, the bias before or after them
    "W,b": [W1, b1, W2, b2],
    "b,W": [b1, W1, b2, W2],
    "WW,bb": [W1, W2, b1, b2],
    "bb,WW": [b1, b2, W1, W2],
    "bW": [np.vstack([b1, W1]), np.vstack([b2, W2])],
    "Wb": [np.vstack([W1, b1]), np.vstack([W2, b2])],
}


@pytest.mark.parametrize("joined", PACKED)
@pytest.mark.parametrize("out_first", [False, True])
@pytest.mark.parametrize("shape", [(51,), (51, 1)])
def test_a_flat_vector(joined, out_first, shape):
    layouts = next(flat_layouts(shape, (4, 6, 3)))
    assert len({(one.part_order, one.out_first) for one in layouts}) == len(layouts) == 24
    [layout] = [
        one.resized(SIZES) for one in layouts
        if one.part_order == (joined, False) and one.out_first == out_first
    ]  # fmt: skip
    parts = [(part.T if out_first else part).ravel() for part in PACKED[joined]]
    vector = np.concatenate(parts).reshape(layout.shapes["params"])
    assert vector.ndim == len(shape)
    assert_layers(layout.unpack({"params": vector}), LAYERS)


def test_a_flat_vector_from_the_last_layer_to_the_first():
    layouts = [one.resized(SIZES) for one in next(flat_layouts((51,), (4, 6, 3)))]
    backward = next(one for one in layouts if one.part_order == ("W,b", True) and one.out_first)
    vector = np.concatenate([W2.T.ravel(), b2, W1.T.ravel(), b1])
    assert_layers(backward.unpack({"params": vector}), LAYERS)
    assert list(flat_layouts((51,), (4, 6, 2))) == []
    [bare, _, *_] = next(flat_layouts((42,), (4, 6, 3)))
    assert [b for _, b in bare.unpack({"params": np.arange(42.0)})] == [None, None]


@pytest.mark.parametrize("transposed", [False, True])
def test_one_array_with_a_row_for_the_biases(transposed):
    shape = (4, 8) if transposed else (8, 4)
    [[first, last]] = linear_layouts(shape, 7, 4)
    for layout, rows in ((first, [b1, W1]), (last, [W1, b1])):
        W = np.vstack(rows)
        resized = layout.resized(SIZES[:2])
        assert resized.shapes["params"] == (W.T if transposed else W).shape
        assert_layers(resized.unpack({"params": W.T if transposed else W}), [(W1, b1)])


@pytest.mark.parametrize("transposed", [False, True])
def test_a_dict_in_any_order_with_biases_of_any_form(transposed):
    shapes = {"c": (1, 9), "V": (6, 9), "a": (6, 1), "U": (4, 6)}
    if transposed:
        shapes |= {"V": (9, 6), "U": (6, 4)}
    [[layout]] = net_layouts(shapes, 4, 9)
    layout = layout.resized(SIZES)
    arrays = {"c": b2[np.newaxis], "V": W2, "a": b1[:, np.newaxis], "U": W1}
    if transposed:
        arrays |= {"V": W2.T, "U": W1.T}
    assert layout.shapes == {k: v.shape for k, v in arrays.items()}
    assert layout.names == ("U", "a", "V", "c")
    assert_layers(layout.unpack(arrays), LAYERS)


def test_a_vector_as_the_weights_of_the_only_output():
    [[layout], *_] = net_layouts({"w": (4,), "b": ()}, 4, 1)
    layout = layout.resized((3, 1))
    assert layout.shapes == {"w": (3,), "b": ()}
    W, b = np.arange(3.0), np.array(5.0)
    assert_layers(layout.unpack({"w": W, "b": b}), [(W[:, np.newaxis], [5.0])])
    assert list(net_layouts({"w": (4,), "b": (), "left over": (7,)}, 4, 1)) == []
