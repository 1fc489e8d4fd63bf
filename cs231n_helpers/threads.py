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
from contextlib import contextmanager
from functools import cache
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

from .validation import Floats

BLAS_WORK = 2**18  #: multiplications from which on OpenBLAS takes several threads
LEAST_WORK = 2**21  #: from which on they are faster: to wake a thread takes 40 us, as 2**20 do

Part = TypeVar("Part")
Result = TypeVar("Result")
Answer = SimpleQueue[tuple[Any, BaseException | None]]
_here = threading.local()  # .threads is set inside of `side_by_side`


@contextmanager
def side_by_side(work: int) -> Iterator[int]:
    """Keep BLAS to one thread; yield how many are worth their while for `work` multiplications.

    Inside of another, and in the threads themselves, that is one.
    """
    if work < BLAS_WORK or hasattr(_here, "threads"):
        yield 1
        return
    libraries = _blas()
    threads = [library.num_threads for library in libraries]
    if min(threads, default=1) == 1:  # nor does a thread beside another undo what that has done
        yield 1
        return
    _here.threads = min(threads) if work >= LEAST_WORK else 1
    for library in libraries:
        library.set_num_threads(1)
    try:
        yield _here.threads
    finally:
        for library, number in zip(libraries, threads, strict=True):
            library.set_num_threads(number)
        del _here.threads


def in_order(
    function: Callable[[Part], Result], parts: Iterable[Part], work: int
) -> Iterator[Result]:
    """Yield ``function(part)`` of all parts in their order, some of them computed ahead.

    >>> list(in_order(abs, [-1, 2], work=0))
    [1, 2]
    """
    parts = list(parts)
    if len(parts) == 1:  # which may have products to cut
        yield function(parts[0])
        return
    with side_by_side(work) as threads:
        ahead: deque[tuple[Part, Answer | None]] = deque()
        for count, part in enumerate(parts):
            ahead.append((part, _begun(threads, function, part) if count % threads else None))
            if len(ahead) > 2 * threads:
                yield _result(function, *ahead.popleft())
        while ahead:
            yield _result(function, *ahead.popleft())


def product(A: Floats, B: Floats) -> Floats:
    """Return A @ B (n, m) in two parts, of the rows of A or of the columns of B.

    >>> product(np.eye(2), np.ones((2, 1)))
    array([[1.],
           [1.]])
    """
    (n, k), m = A.shape, B.shape[1]
    work = n * k * m
    with side_by_side(work) as threads:
        if work < LEAST_WORK:
            return A @ B
        C = np.empty((n, m), np.result_type(A, B))

        @np.errstate(over="ignore", invalid="ignore")
        def half(part: slice) -> None:
            if n >= m:
                np.matmul(A[part], B, out=C[part])
            else:
                np.matmul(A, B[:, part], out=C[:, part])

        first, second = halves(max(n, m))
        begun = _begun(threads, half, second) if threads > 1 else None
        half(first)
        _result(half, second, begun)
        return C


def halves(length: int) -> list[slice]:
    """Cut a length into two parts."""
    middle = -(-length // 2)
    return [slice(0, middle), slice(middle, length)]


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


# ---- the threads, handed their work in half the time of concurrent.futures ----


def _begun(threads: int, function: Callable[[Part], Result], part: Part) -> Answer:
    answer: Answer = SimpleQueue()
    _jobs(threads - 1).put((function, part, answer))
    return answer


def _result(function: Callable[[Part], Result], part: Part, answer: Answer | None) -> Result:
    if answer is None:
        return function(part)
    result, error = answer.get()
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


@cache
def _jobs(threads: int) -> SimpleQueue[Any]:
    """Start threads; return the queue from which they take functions, parts and answers."""
    jobs: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        _here.threads = 1
        while True:
            function, part, answer = jobs.get()
            try:
                answer.put((function(part), None))
            except BaseException as error:
                answer.put((None, error))

    for _ in range(threads):
        threading.Thread(target=work, name="cs231n", daemon=True).start()
    return jobs


if hasattr(os, "register_at_fork"):  # a child has none of the threads
    os.register_at_fork(after_in_child=_jobs.cache_clear)
