"""Data that does not fit into memory: a mapped file larger than what the process may still take.

The file has holes: nearly all of its rows are zeros, which cost no disk. It is small enough for a
file system without them, or in memory, where reading a mapped hole fills it. Written are those rows
that the training draws, and their share in each result is known from the rows alone.
"""

from __future__ import annotations

import re
import sys
import tempfile
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from cs231n_helpers import (
    LinearSVM,
    TwoLayerNet,
    search,
    softmax_loss_naive,
    softmax_loss_vectorized,
    svm_loss_naive,
    svm_loss_vectorized,
)

resource = pytest.importorskip("resource", reason="Windows has no RLIMIT_DATA")

ALLOWED = 192 * 2**20  # bytes more than when the limit is set
N, D, C = 24_576, 3072, 3  # 288 MiB of float32
STEPS, BATCH = 3, 50
RATE, REG = 0.01, 0.1

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA is kept by Linux only")


def drawn() -> np.ndarray:
    """The rows of each minibatch of a training with RandomState(0), (STEPS, BATCH)."""
    rng = np.random.RandomState(0)
    return np.array([rng.choice(N, BATCH) for _ in range(STEPS)])


def written() -> np.ndarray:
    return np.unique(np.append(drawn(), N - 1))


def labels() -> np.ndarray:
    return np.arange(N) % C


def weights() -> np.ndarray:
    return np.random.RandomState(1).standard_normal((D, C)).astype(np.float32) / 100


def net() -> TwoLayerNet:
    return TwoLayerNet(D, 4, C, std=0.01, rng=np.random.RandomState(2), dtype=np.float32)


def limit_memory():
    kilobytes = re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text("utf-8"))[1]
    limit = 1024 * int(kilobytes) + ALLOWED
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))  # a mapped file does not count


def measured(task, path):
    """Return the result of `task` on the mapped file, and how much memory it took."""
    X = np.memmap(path, np.float32, "r", shape=(N, D))
    tracemalloc.start()
    try:
        return task(X, labels()), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def load(X, y):
    np.fromfile(X.filename, X.dtype)


def loss(function, X, y):
    return function(weights(), X, y, REG)


def train_svm(X, y):
    model = LinearSVM()
    model.W = weights()
    losses = model.train(X, y, RATE, REG, STEPS, BATCH, rng=np.random.RandomState(0))
    return losses, {"W": model.W}


def train_net(X, y):
    model = net()
    history = model.train(
        X, y, X, y, RATE, reg=REG, num_iters=STEPS, batch_size=BATCH, rng=np.random.RandomState(0)
    )
    return history["loss_history"], model.params


def search_nets(X, y):
    options = {"hidden_size": 4, "std": 0.01, "num_iters": STEPS, "batch_size": BATCH}
    data = X, y, X[:BATCH], y[:BATCH]
    try:
        return search(TwoLayerNet, *data, {"reg": [0.0, REG]}, n_jobs=2, **options)
    finally:
        get_reusable_executor().shutdown()  # its idle processes would keep this one waiting


@pytest.fixture(scope="module")
def path():
    """Where a disk is, if there is one: the folder for temporary files is often in memory."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        path = Path(folder, "X")
        X = np.memmap(path, np.float32, "w+", shape=(N, D))
        rows = written()
        X[rows] = np.random.RandomState(3).standard_normal((len(rows), D))
        X.flush()
        assert path.stat().st_size > ALLOWED
        yield path


@pytest.fixture(scope="module")
def in_little_memory(path):
    """Run a task on the file in another process, as the limit stays for the rest of its life."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=limit_memory) as pool:
        yield lambda task: pool.submit(measured, task, path).result()


def test_the_limit_is_one(in_little_memory):
    with pytest.raises(MemoryError):
        in_little_memory(load)


@pytest.mark.parametrize(
    ("function", "naive", "of_zeros"),
    [
        (svm_loss_vectorized, svm_loss_naive, C - 1),
        (softmax_loss_vectorized, softmax_loss_naive, np.log(C)),
    ],
)
def test_loss(in_little_memory, path, function, naive, of_zeros):
    (value, dW), peak = in_little_memory(partial(loss, function))
    rows, W = written(), weights().astype(float)
    X = np.memmap(path, np.float32, "r", shape=(N, D))[rows].astype(float)
    of_written, dW_written = naive(W, X, labels()[rows])
    share = len(X) / N
    penalty = 0.5 * REG * np.sum(W**2)
    assert value == pytest.approx(share * of_written + (1 - share) * of_zeros + penalty, rel=1e-6)
    np.testing.assert_allclose(dW - np.float32(REG) * weights(), share * dW_written, atol=1e-8)
    assert peak < 2**26


@pytest.mark.parametrize("task", [train_svm, train_net])
def test_training(in_little_memory, path, task):
    (losses, params), peak = in_little_memory(task)
    X = np.memmap(path, np.float32, "r", shape=(N, D))
    model = net()
    by_hand = {"W": weights()} if task is train_svm else model.params
    expected = []
    for rows in drawn():
        X_batch, y_batch = np.array(X[rows]), labels()[rows]
        if task is train_svm:
            value, dW = svm_loss_vectorized(by_hand["W"], X_batch, y_batch, REG)
            grads = {"W": dW}
        else:
            model.params = by_hand
            value, grads = model.loss(X_batch, y_batch, REG)
        expected.append(value)
        by_hand = {name: p - RATE * grads[name] for name, p in by_hand.items()}
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for name, p in by_hand.items():
        np.testing.assert_allclose(params[name], p, rtol=1e-4, atol=1e-6)
    assert peak < 2**26


def test_a_search_in_two_processes(in_little_memory, path):
    """Each of them has the same limit, and maps the file, too."""
    found, peak = in_little_memory(search_nets)
    assert peak < 2**26
    X, net = np.memmap(path, np.float32, "r", shape=(N, D)), found.best_model
    for record in found.records:
        assert record["status"] == "ok"
    assert found.best["val_accuracy"] == np.mean(net.predict(X[:BATCH]) == labels()[:BATCH])
    assert found.best["train_accuracy"] == np.mean(net.predict(X) == labels())
