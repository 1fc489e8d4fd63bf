"""How parameters make up layers: one weight array, a dict of arrays, or one flat vector.

A layout knows the sizes of its layers, ``(D, hidden, ..., C)``, the shapes that the parameters have
at these sizes, and how to unpack parameters of these shapes into weights and biases. Where shapes
alone do not tell (is the first or the last row of W that of the biases?) there are several.

>>> [[layout]] = linear_layouts((5, 3), 5, 3)
>>> layout.resized((2, 4)).shapes
{'params': (2, 4)}
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from .backward import Array, Layer

Shape = tuple[int, ...]
JOINED = ("bW", "W,b", "WW,bb", "Wb", "b,W", "bb,WW")


@dataclass(frozen=True)
class ParameterLayout(ABC):
    """Layers of the sizes `layer_sizes`, and where in the parameters they are."""

    layer_sizes: Shape  # D, hidden, C; empty where the parameters are scores or data

    def resized(self, layer_sizes: Shape) -> Self:
        return replace(self, layer_sizes=layer_sizes)

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shapes of the parameters, by name; none where they belong to no layer."""
        return {}

    @abstractmethod
    def unpack(self, arrays: Mapping[str, Array]) -> list[Layer]:
        """Views of the parameters as weights (in, out) and biases (out,) of each layer."""

    @property
    def names(self) -> tuple[str, ...]:
        """The keys of W1, b1, W2, ... in the caller's dict."""
        return ()

    @property
    def part_order(self) -> tuple[object, ...]:
        """In which order a flat vector holds its parts, whatever the order within them."""
        return ()


@dataclass(frozen=True)
class FixedLayout(ParameterLayout):
    """The parameters are the scores or the data: what layers there are is given."""

    layers: tuple[Layer, ...] = ()

    def unpack(self, arrays: Mapping[str, Array]) -> list[Layer]:
        return list(self.layers)


@dataclass(frozen=True)
class LinearLayout(ParameterLayout):
    """One weight array: W (D, C), its transpose, or a vector; with a row of biases, or without."""

    is_vector: bool
    transposed: bool
    bias_row: int | None  # 0, -1 or None

    @property
    def shapes(self) -> dict[str, Shape]:
        rows, columns = self.layer_sizes[0] + (self.bias_row is not None), self.layer_sizes[1]
        if self.is_vector:
            return {"params": (rows,)}
        return {"params": (columns, rows) if self.transposed else (rows, columns)}

    def unpack(self, arrays: Mapping[str, Array]) -> list[Layer]:
        W = arrays["params"]
        W = W[:, np.newaxis] if self.is_vector else W.T if self.transposed else W
        if self.bias_row is None:
            return [(W, None)]
        return [(W[1:] if self.bias_row == 0 else W[:-1], W[self.bias_row])]


@dataclass(frozen=True)
class NetLayout(ParameterLayout):
    """A dict of arrays: for each layer the name of its weights, and of its biases if it has any."""

    weights: tuple[str, ...]
    transposed: tuple[bool, ...]
    biases: tuple[str | None, ...]
    like: Mapping[str, Shape]  # the shapes of the caller's arrays, in the caller's order

    @property
    def shapes(self) -> dict[str, Shape]:
        found: dict[str, Shape] = {}
        layers = zip(self.weights, self.transposed, self.biases, strict=True)
        for (W, flip, b), pair in zip(layers, itertools.pairwise(self.layer_sizes), strict=True):
            found[W] = pair[:1] if len(self.like[W]) == 1 else pair[::-1] if flip else pair
            if b is not None:
                axes = range(len(self.like[b]))
                wide = max(axes, key=lambda k: (self.like[b][k], k), default=0)
                found[b] = tuple(pair[1] if k == wide else 1 for k in axes)
        return {k: found[k] for k in self.like}

    def unpack(self, arrays: Mapping[str, Array]) -> list[Layer]:
        layers: list[Layer] = []
        for name, flip, b in zip(self.weights, self.transposed, self.biases, strict=True):
            W = arrays[name]
            W = W[:, np.newaxis] if W.ndim == 1 else W.T if flip else W
            layers.append((W, None if b is None else arrays[b].reshape(-1)))
        return layers

    @property
    def names(self) -> tuple[str, ...]:
        pairs = zip(self.weights, self.biases, strict=True)
        return tuple(name for pair in pairs for name in pair if name is not None)


@dataclass(frozen=True)
class FlatLayout(ParameterLayout):
    """A vector that holds all layers one after the other.

    In `joined` a comma stands between parts: "W,b" is W1, b1, W2, b2; "WW,bb" is W1, W2, b1, b2;
    in "bW" the biases are the first column of each matrix (out, in + 1). "W": there are none.
    """

    joined: str
    out_first: bool  # matrices are (out, in), as in the other course
    backward: bool  # the last layer comes first
    is_column: bool  # the vector has the shape (n, 1)

    @property
    def shapes(self) -> dict[str, Shape]:
        n = sum(int(np.prod(shape)) for _, _, shape in self._parts())
        return {"params": (n, 1) if self.is_column else (n,)}

    def _parts(self) -> list[tuple[int, str, Shape]]:
        """(layer, "W" or "b", shape) of each part, in their order."""
        inside, apart = int(self.joined in ("bW", "Wb")), "," in self.joined
        parts: list[tuple[int, str, Shape]] = []
        for depth, (i, o) in enumerate(itertools.pairwise(self.layer_sizes)):
            parts.append((depth, "W", (o, i + inside) if self.out_first else (i + inside, o)))
            parts += [(depth, "b", (o,))] if apart else []

        def place(part: tuple[int, str, Shape]) -> tuple[int, int]:
            layer, late = -part[0] if self.backward else part[0], part[1] != self.joined[0]
            return (late, layer) if len(self.joined) > 3 else (layer, late)

        return sorted(parts, key=place)

    def unpack(self, arrays: Mapping[str, Array]) -> list[Layer]:
        vector, start = arrays["params"].reshape(-1), 0
        W: dict[int, Array] = {}
        b: dict[int, Array] = {}
        for depth, kind, shape in self._parts():
            part = vector[start : start + int(np.prod(shape))].reshape(shape)
            start += part.size
            if kind == "b":
                b[depth] = part
                continue
            part = part.T if self.out_first else part
            if self.joined == "bW":
                b[depth], part = part[0], part[1:]
            elif self.joined == "Wb":
                b[depth], part = part[-1], part[:-1]
            W[depth] = part
        return [(W[depth], b.get(depth)) for depth in sorted(W)]

    @property
    def part_order(self) -> tuple[object, ...]:
        return self.joined, self.backward


def linear_layouts(shape: Shape, d: int, c: int) -> Iterator[list[ParameterLayout]]:
    """Layouts of one weight array, those of one shape together."""
    is_vector = c == 1 and len(shape) == 1
    for extra, transposed in itertools.product((0, 1), (False,) if is_vector else (False, True)):
        matrix = (c, d + extra) if transposed else (d + extra, c)
        if shape == ((d + extra,) if is_vector else matrix):
            rows = (0, -1) if extra else (None,)
            yield [LinearLayout((d, c), is_vector, transposed, row) for row in rows]


def net_layouts(shapes: Mapping[str, Shape], d: int, c: int) -> Iterator[list[ParameterLayout]]:
    """Layouts of a dict: weights that make a chain from D to C, and biases that fit them."""
    matrices = [k for k, s in shapes.items() if len(s) == 2 and min(s) > 1]
    others = [k for k in shapes if k not in matrices]
    columns = [k for k in others if len(shapes[k]) == 2]  # (H, 1): the weights of one output
    columns.sort(key=lambda k: str(k)[:1] in ("b", "B"))
    vectors = [k for k in others if int(np.prod(shapes[k])) == d and str(k)[:1] not in ("b", "B")]
    # (H,), the same; of two that would do, the later one is the weights
    outer = [k for k in reversed(others) if len(shapes[k]) == 1] if c == 1 else []
    ends = [[], *([k] for k in (*columns, *outer))]
    choices = [[*matrices, *end] for end in ends] if matrices else [[k] for k in vectors]
    for names in choices if len(matrices) <= 4 else []:
        biases_left = {k: shapes[k] for k in others if k not in names}
        for order in itertools.permutations(names):
            pairs = [shapes[k] if len(shapes[k]) == 2 else (shapes[k][0], 1) for k in order]
            for flips in itertools.product((False, True), repeat=len(order)):
                turned = [p[::-1] if flip else p for p, flip in zip(pairs, flips, strict=True)]
                sizes = (d, *(out for _, out in turned))
                biases = _biases_for(sizes[1:], biases_left)
                fits = [rows for rows, _ in turned] == list(sizes[:-1]) and sizes[-1] == c
                if fits and biases is not None:
                    yield [NetLayout(sizes, order, flips, biases, shapes)]


def _biases_for(sizes: Shape, shapes: Mapping[str, Shape]) -> tuple[str | None, ...] | None:
    """The name of each layer's biases; None where some array is left over."""
    left, found = dict(shapes), list[str | None]()
    for size in sizes:
        fitting = [k for k, s in left.items() if int(np.prod(s)) == size][:1]
        found.append(fitting[0] if fitting else None)
        left = {k: s for k, s in left.items() if k not in fitting}
    return None if left else tuple(found)


def flat_layouts(shape: Shape, layer_sizes: Sequence[int]) -> Iterator[list[ParameterLayout]]:
    """Layouts of a vector that holds layers of these sizes, with biases or without."""
    sizes, total = tuple(layer_sizes), int(np.prod(shape))
    bare = sum(i * o for i, o in itertools.pairwise(sizes))
    if total in (bare, bare + sum(sizes[1:])):
        orders = ("W",) if total == bare else JOINED
        ways = (False, True) if len(sizes) > 2 else (False,)
        yield [
            FlatLayout(sizes, joined, out_first, backward, len(shape) == 2)
            for backward in ways
            for joined in orders
            for out_first in (True, False)
        ]
