"""Rows in blocks that are worked on side by side: a Python thread a block, BLAS on one in each.

NumPy lets go of the interpreter in its products. BLAS has threads of its own, but they wait for
each other by spinning: on a busy machine that takes five to ten times as long as one thread alone.
There are as many threads here as BLAS has, so what limits those (OPENBLAS_NUM_THREADS and its like,
threadpoolctl) limits these, too. How rows are cut does not depend on their number, and neither do
results.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from queue import SimpleQueue
from typing import Any, TypeVar

from .validation import blocks

BLAS_WORK = 2**18  #: multiplications from which on OpenBLAS takes several threads
LEAST_WORK = 2**21  #: from which on they are faster: to wake a thread takes 40 us, as 2**20 do

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


def in_blocks(
    function: Callable[[slice], Result], num_rows: int, row_bytes: int, work: int
) -> Iterator[Result]:
    """Yield ``function(rows)`` of all `blocks` in their order, some of them computed ahead.

    `work` counts multiplications; where it is worth two threads, the number of blocks is even.

    >>> list(in_blocks(lambda rows: rows.stop, 5, row_bytes=8, work=0))
    [5]
    >>> list(in_blocks(lambda rows: rows.stop, 5, row_bytes=8, work=LEAST_WORK))
    [3, 5]
    """
    with side_by_side(work) as threads:
        ahead: deque[tuple[slice, Answer | None]] = deque()
        try:
            for count, rows in enumerate(blocks(num_rows, row_bytes, even=work >= LEAST_WORK)):
                begun = _begun(threads, function, rows) if count % threads else None
                ahead.append((rows, begun))
                if len(ahead) > 2 * threads:
                    yield _result(function, *ahead.popleft())
            while ahead:
                yield _result(function, *ahead.popleft())
        finally:  # after an error, too, nobody reads the data any more
            for _, begun in ahead:
                if begun is not None:
                    begun.get()


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


# ---- the threads, handed their work in half the time of concurrent.futures ----


def _begun(threads: int, function: Callable[[slice], Result], rows: slice) -> Answer:
    answer: Answer = SimpleQueue()
    _jobs(threads - 1).put((function, rows, answer))
    return answer


def _result(function: Callable[[slice], Result], rows: slice, answer: Answer | None) -> Result:
    if answer is None:
        return function(rows)
    result, error = answer.get()
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


@cache
def _jobs(threads: int) -> SimpleQueue[Any]:
    """Start threads; return the queue from which they take functions, rows and answers."""
    jobs: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        _here.threads = 1
        while True:
            function, rows, answer = jobs.get()
            try:
                answer.put((function(rows), None))
            except BaseException as error:
                answer.put((None, error))

    for _ in range(threads):
        threading.Thread(target=work, name="cs231n", daemon=True).start()
    return jobs


if hasattr(os, "register_at_fork"):  # a child has none of the threads
    os.register_at_fork(after_in_child=_jobs.cache_clear)
