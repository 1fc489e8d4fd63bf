"""Work in parts: the same whatever the number of threads, and BLAS is left as it was."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cs231n_helpers import LinearSVM, TwoLayerNet, svm_input_gradient, svm_loss_vectorized
from cs231n_helpers.threads import BLAS_WORK, LEAST_WORK, in_blocks, side_by_side
from cs231n_helpers.validation import BLOCK_BYTES, blocks

RNG = np.random.RandomState(0)
X, W = RNG.standard_normal((300, 1000)), RNG.standard_normal((1000, 7))
y = np.arange(300) % 7


def blas_threads():
    return [it["num_threads"] for it in threadpool_info() if it["user_api"] == "blas"]


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    with threadpool_limits(request.param, "blas"):
        yield request.param


def results():
    """What is cut into two blocks here, whatever the number of threads."""
    net = TwoLayerNet(1000, 20, 7, std=0.1, rng=np.random.RandomState(1))
    loss, grads = net.loss(X, y, 0.1)
    svm = LinearSVM()
    losses = svm.train(X, y, num_iters=3)
    history = net.train(X, y, X, y, num_iters=3)["loss_history"]
    return [
        *svm_loss_vectorized(W, X, y, 0.1), svm_input_gradient(W, X, y), svm.predict(X), losses,
        svm.W, loss, *grads.values(), net.loss(X), history, *net.params.values(),
    ]  # fmt: skip


def test_results_do_not_depend_on_the_number_of_threads(threads):
    with threadpool_limits(1, "blas"):
        expected = results()
    for got, right in zip(results(), expected, strict=True):
        np.testing.assert_array_equal(got, right)


def test_so_many_work_at_once_and_in_order(threads):
    at_work, all_here = set(), threading.Barrier(threads)

    def part(rows):
        all_here.wait(60)
        at_work.add(threading.get_ident())
        return rows.start

    num_rows = 64 * 4 * threads
    starts = list(in_blocks(part, num_rows, BLOCK_BYTES // 64, LEAST_WORK))
    assert starts == list(range(0, num_rows, 64))
    assert len(at_work) == threads


def test_blas_has_one_thread_meanwhile_and_then_what_it_had(threads):
    with side_by_side(LEAST_WORK) as found:
        assert found == threads
        assert set(blas_threads()) == {1}
        with side_by_side(LEAST_WORK) as inside:
            assert inside == 1
    assert set(blas_threads()) == {threads}


def test_two_at_once_leave_blas_as_it_was():
    first, second = side_by_side(LEAST_WORK), side_by_side(LEAST_WORK)
    with threadpool_limits(2, "blas"):
        first.__enter__()
        beside = threading.Thread(target=second.__enter__)
        beside.start()
        beside.join()
        first.__exit__(None, None, None)
        other = threading.Thread(target=second.__exit__, args=(None, None, None))
        other.start()
        other.join()
        assert set(blas_threads()) == {2}


def test_little_work_is_done_by_one_thread_and_none_of_blas(threads):
    with side_by_side(LEAST_WORK - 1) as found:
        assert found == 1
        assert set(blas_threads()) == {1}
    with side_by_side(BLAS_WORK - 1) as found:  # of which BLAS makes one, too
        assert found == 1
        assert set(blas_threads()) == {threads}


def test_an_error_comes_out_and_blas_is_as_before(threads):
    with pytest.raises(ZeroDivisionError):
        list(in_blocks(lambda rows: 1 // (rows.stop - 300), 300, 8, LEAST_WORK))
    assert set(blas_threads()) == {threads}


def test_nobody_is_at_work_after_an_error():
    at_work = set()

    def part(rows):
        at_work.add(rows.start)
        if rows.start == 0:
            raise ZeroDivisionError
        time.sleep(0.1)
        at_work.remove(rows.start)

    with threadpool_limits(2, "blas"), pytest.raises(ZeroDivisionError):
        list(in_blocks(part, 64 * 4, BLOCK_BYTES // 64, LEAST_WORK))
    assert at_work == {0}


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("num_rows", [0, 1, 2, 5, 64, 65, 129, 1000])
def test_blocks_are_all_of_it_and_of_one_size(num_rows, even):
    found = [*blocks(num_rows, BLOCK_BYTES // 64, even=even)]
    assert [i for rows in found for i in range(num_rows)[rows]] == [*range(num_rows)]
    assert all(rows.stop - rows.start <= 64 for rows in found)
    assert not even or len(found) % 2 == 0 or num_rows < 2


def child(pipe):
    pipe.send(svm_loss_vectorized(W, X, y)[0])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    with threadpool_limits(2, "blas"):
        expected = svm_loss_vectorized(W, X, y)[0]
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(target=child, args=(theirs,))
        process.start()
        assert ours.poll(60)
        assert ours.recv() == expected
        process.join()
