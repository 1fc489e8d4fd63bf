"""Work in parts that run side by side: a Python thread a part, and BLAS on one thread in each.

NumPy lets go of the interpreter in its products. BLAS has threads of its own, but they wait for
each other by spinning: on a busy machine that takes five to ten times as long as one thread alone.
There are as many threads here as BLAS has, so what limits those (OPENBLAS_NUM_THREADS and its like,
threadpoolctl) limits these, too. How work is cut does not depend on their number, and neither do
results.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import numpy as np

from .validation import Floats

#: Multiplications from which on two threads are faster than one; OpenBLAS uses the same border.
LEAST_WORK = 2**18

Part = TypeVar("Part")
Result = TypeVar("Result")
_here = threading.local()  # .threads is set inside of `side_by_side`


@contextmanager
def side_by_side(work: int) -> Iterator[int]:
    """Keep BLAS to one thread, where `work` multiplications are worth several; yield how many."""
    if work < LEAST_WORK:
        yield 1
    elif hasattr(_here, "threads"):
        yield _here.threads
    else:
        blas = _blas()
        threads = min([library.num_threads for library in blas.lib_controllers], default=1)
        if threads == 1:  # nor does a thread beside another undo what that one has done
            yield 1
            return
        with blas.limit(limits=1):
            _here.threads = threads
            try:
                yield threads
            finally:
                del _here.threads


def in_order(
    function: Callable[[Part], Result], parts: Iterable[Part], work: int
) -> Iterator[Result]:
    """Yield ``function(part)`` of all parts in their order, some of them computed ahead.

    >>> list(in_order(abs, [-1, 2], work=0))
    [1, 2]
    """
    with side_by_side(work) as threads:
        if threads == 1:
            yield from map(function, parts)
            return
        ahead: deque[Future[Result]] = deque()
        for part in parts:
            ahead.append(_pool(threads).submit(function, part))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def product(A: Floats, B: Floats) -> Floats:
    """Return A @ B (n, m), its rows in parts.

    >>> product(np.eye(2), np.ones((2, 1)))
    array([[1.],
           [1.]])
    """
    work = A.shape[0] * A.shape[1] * B.shape[1]
    if work < LEAST_WORK:
        return A @ B
    C = np.empty((len(A), B.shape[1]), np.result_type(A, B))

    @np.errstate(over="ignore", invalid="ignore")
    def rows_of_product(rows: slice) -> None:
        np.matmul(A[rows], B, out=C[rows])

    for _ in in_order(rows_of_product, halves(len(A)), work):
        pass
    return C


def taken(X: Floats, rows: Any) -> Floats:
    """Return X[rows], gathered in parts."""
    batch = np.empty((len(rows), *X.shape[1:]), X.dtype)

    def gather(part: slice) -> None:
        np.take(X, rows[part], axis=0, out=batch[part], mode="clip")

    for _ in in_order(gather, halves(len(rows)), batch.size):
        pass
    return batch


def halves(num_rows: int) -> list[slice]:
    """Cut rows into two parts."""
    middle = -(-num_rows // 2)
    return [slice(0, middle), slice(middle, num_rows)]


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="cs231n")


if hasattr(os, "register_at_fork"):  # a child has none of the threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
