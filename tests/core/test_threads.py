"""Work in parts: the same whatever the number of threads, and BLAS is left as it was."""

from __future__ import annotations

import multiprocessing
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cs231n_helpers import svm_loss_vectorized
from cs231n_helpers.threads import BLAS_WORK, LEAST_WORK, halves, in_order, product, side_by_side

RNG = np.random.RandomState(0)
X, W = RNG.standard_normal((300, 1000)), RNG.standard_normal((1000, 7))


def blas_threads():
    return [it["num_threads"] for it in threadpool_info() if it["user_api"] == "blas"]


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    with threadpool_limits(request.param, "blas"):
        yield request.param


def test_results_do_not_depend_on_the_number_of_threads(threads):
    y = np.arange(300) % 7
    with threadpool_limits(1, "blas"):
        expected = product(X, W), *svm_loss_vectorized(W, X, y, 0.1)
    for got, right in zip(
        (product(X, W), *svm_loss_vectorized(W, X, y, 0.1)), expected, strict=True
    ):
        np.testing.assert_array_equal(got, right)
    np.testing.assert_allclose(product(X, W), X @ W, rtol=1e-12, atol=1e-12)
    for A, B in ((X.T, X), (W.T, X.T)):  # cut by rows, and by columns
        np.testing.assert_allclose(product(A, B), A @ B, rtol=1e-12, atol=1e-12)


def test_so_many_work_at_once_and_in_order(threads):
    at_work, all_here = set(), threading.Barrier(threads)

    def part(k):
        all_here.wait(60)
        at_work.add(threading.get_ident())
        return k

    assert list(in_order(part, range(5 * threads), LEAST_WORK)) == list(range(5 * threads))
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
        list(in_order(lambda k: 1 // k, [2, 1, 0, 3], LEAST_WORK))
    assert set(blas_threads()) == {threads}


@pytest.mark.parametrize("num_rows", [1, 2, 5])
def test_halves_are_all_of_it(num_rows):
    assert [i for part in halves(num_rows) for i in range(num_rows)[part]] == [*range(num_rows)]


def child(pipe):
    pipe.send(product(X, W).sum())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    with threadpool_limits(2, "blas"):
        expected = product(X, W).sum()
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(target=child, args=(theirs,))
        process.start()
        assert ours.poll(60)
        assert ours.recv() == expected
        process.join()
