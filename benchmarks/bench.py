"""Measure how fast the package is, as ratios against a reference on the same machine.

All that is compared runs in turns in this process (CIFAR-10, for its peak memory, in a fresh one
each), and a ratio is the median over the rounds. Writes results.md and results.png beside itself.

Shapes: N examples, D features, H hidden units, C classes, K runs of a search.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as replace_in
from functools import lru_cache, partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import peers
from report import PEERS, Row, Scaling, draw, machine, replace, report, whole
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import cs231n_helpers
from cs231n_helpers import LinearSVM, TwoLayerNet, search
from cs231n_helpers.validation import blocks

HERE = Path(__file__).resolve().parent
D, H, C, BATCH = 3073, 50, 10, 200
LOSSES = {
    "softmax": (cs231n_helpers.softmax_loss_vectorized, peers.usual_softmax),
    "SVM": (cs231n_helpers.svm_loss_vectorized, peers.usual_svm),
}


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rows: int = 49_000
    small: int = 500
    steps: int = 1_000
    rounds: int = 5
    at_least: float = 0.5  # seconds a sample: to spread threads that wait takes Linux some 0.1
    square: int = 2_048
    slice: int = 4_096
    pause: float = 0.2  # seconds before a sample: BLAS' threads of the one before spin for 0.1


QUICK = Sizes(
    rows=1_200, small=100, steps=20, rounds=2, at_least=0.001, square=256, slice=256, pause=0.0
)


Calls = dict[str, tuple[Callable[[], Any], int]]


def measure(calls: Calls, rounds: int, sizes: Sizes) -> dict[str, list[float]]:
    """Time ``{name: (call, units of work)}`` in turns; return seconds a unit, one for each round.

    A short call is repeated until a sample takes `at_least` seconds, after one that is not timed; a
    long one, beyond twice that, needs no warming up.
    """
    at_least = sizes.at_least

    def seconds(call: Callable[[], Any], number: int) -> float:
        start = time.perf_counter()
        for _ in range(number):
            call()
        return time.perf_counter() - start

    numbers = {}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.disable()
    try:
        for name, (call, units) in calls.items():
            took = seconds(call, 1)
            if took > 2 * at_least:
                samples[name].append(took / units)
            elif took < at_least:
                took = seconds(call, 1)
            numbers[name] = max(1, int(np.ceil(at_least / took)))
        for i in range(rounds):
            for name in list(calls)[:: -1 if i % 2 else 1]:
                call, units = calls[name]
                if len(samples[name]) > i:
                    continue
                time.sleep(sizes.pause)
                if numbers[name] > 1:
                    call()
                samples[name].append(seconds(call, numbers[name]) / (numbers[name] * units))
    finally:
        gc.enable()
    return samples


@lru_cache(maxsize=1)
def data(dtype: Any, N: int, num_features: int = D, num_classes: int = C) -> tuple[Any, Any]:
    """Return (X (N, D), y (N,)): noise, one feature that tells each class, and a bias column."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, num_features), dtype=dtype)
    y = np.arange(N) % num_classes
    X[np.arange(N), y] += 2
    X[:, -1] = 1
    return X, y


def weights(dtype: Any, num_features: int = D, num_classes: int = C) -> Any:
    """Return W (D, C), small as after a few steps."""
    rng = np.random.default_rng(1)
    return 0.01 * rng.standard_normal((num_features, num_classes)).astype(dtype)


def cifar10_rows(sizes: Sizes) -> list[Row]:
    """From disk to a float32 matrix; first of all, as a process starts with its parent's peak."""
    root = Path(os.environ.get("CS231N_CIFAR10", "")).resolve()
    pickled, binary = root / "cifar-10-batches-py", root / "cifar-10-batches-bin"
    if not (pickled.is_dir() and binary.is_dir()):
        tqdm.write(
            "CIFAR-10 is skipped: CS231N_CIFAR10 does not name a folder with "
            f"{pickled.name} and {binary.name}"
        )
        return []
    loads = {
        "pickled": (_package_cifar10, pickled),
        "binary": (_package_cifar10, binary),
        "usual": (peers.usual_cifar10, pickled),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in loads}
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn, max_tasks_per_child=1) as fresh:
        for _ in range(min(sizes.rounds, 3)):
            for name, (load, folder) in loads.items():
                found[name].append(fresh.submit(_time_and_peak, load, folder).result())
    rows = []
    moved = 50_000 * 3072 + 49_000 * D * 4
    usual, usual_peak = zip(*found["usual"], strict=True)
    for layout in ("pickled", "binary"):
        seconds, peak = zip(*found[layout], strict=True)
        times = {"package": seconds, "usual": usual}
        peaks = {"package": peak, "usual": usual_peak}
        what = f"CIFAR-10, {layout}, disk to float32 matrix, mean, bias"
        limit = 800 / statistics.median(usual_peak)
        rows.append(Row(what, "usual", times, 1 / 8, moved=moved))
        rows.append(Row(f"{what}: peak memory", "usual", peaks, limit, unit="MB"))
    return rows


def _package_cifar10(folder: Path) -> Any:
    return cs231n_helpers.load_cifar10(folder, dtype=np.float32).X_train


def _time_and_peak(load: Callable[[Path], Any], folder: Path) -> tuple[float, float]:
    """Return seconds and the peak memory of this process, in MB."""
    import resource  # not on Windows

    start = time.perf_counter()
    X = load(folder)
    seconds = time.perf_counter() - start
    assert X.shape == (49_000, D)
    assert X.dtype == np.float32
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def loss_rows(sizes: Sizes, dtype: str, N: int, goal: float) -> list[Row]:
    """Both losses and their gradients, against the two products they cannot do without."""
    X, y = data(dtype, sizes.rows)
    X, y = X[:N], y[:N]
    W, G = weights(dtype), np.random.default_rng(2).standard_normal((N, C)).astype(dtype)
    rows = []
    for name, (ours, usual) in LOSSES.items():
        calls: Calls = {
            "bare products": (lambda: (X @ W, X.T @ G), 1),
            "package": (partial(ours, W, X, y, 0.1), 1),
            "usual": (partial(usual, W, X, y, 0.1), 1),
        }
        if torch := peers.installed("torch"):
            calls["PyTorch"] = (partial(peers.Torch(torch, X, y).linear, name, W, 0.1), 1)
        samples = measure(calls, sizes.rounds, sizes)
        work = f"{name} loss + gradient, N = {N:,}, {dtype}"
        least = (4.0 * N * D * C, float(X.nbytes))
        rows.append(Row(work, "bare products", samples, goal, dtype, *least))
    return rows


def net_rows(sizes: Sizes, dtype: str) -> list[Row]:
    """A step of the two-layer net, from whole training runs: minibatches, checks, accuracies."""
    X, y = data(dtype, sizes.rows, D - 1)
    val = slice(0, 1000)
    steps, rate, reg = sizes.steps, 1e-3, 1e-3
    first = TwoLayerNet(D - 1, H, C, std=0.01, dtype=dtype).params
    params = {name: p.copy() for name, p in first.items()}
    W1, W2, X_batch = params["W1"].copy(order="C"), params["W2"], X[:BATCH].copy()
    hidden, dscores = X_batch @ W1, np.ones((BATCH, C), dtype)

    def bare() -> None:
        X_batch @ W1, hidden @ W2, dscores @ W2.T, hidden.T @ dscores, X_batch.T @ hidden

    def package() -> None:
        net = TwoLayerNet(D - 1, H, C, std=0.01, dtype=dtype)
        net.train(X, y, X[val], y[val], rate, reg=reg, num_iters=steps, batch_size=BATCH)

    batches = itertools.cycle(np.random.RandomState(0).randint(sizes.rows, size=(99, BATCH)))
    calls: Calls = {
        "bare products": (bare, 1),
        "gather": (lambda: X[next(batches)], 1),
        "package": (package, steps),
        "usual": (
            lambda: peers.usual_net_training(
                {name: p.copy(order="C") for name, p in first.items()}, X, y, rate, reg, steps
            ),
            steps,
        ),
    }
    if torch := peers.installed("torch"):
        peer, start, some = peers.Torch(torch, X, y), list(params.values()), max(1, steps // 5)
        calls["PyTorch"] = (partial(peer.training, "softmax", start, rate, reg, some), some)
    if peers.installed("sklearn"):
        epoch = -(-sizes.rows // BATCH)
        epochs = max(1, steps // epoch // 2)
        train = partial(peers.sklearn_net_training, X, y, H, rate, epochs)
        calls["scikit-learn"] = (train, epochs * epoch)
    samples = measure(calls, min(sizes.rounds, 3), sizes)
    gather = {"package": samples.pop("gather"), "bare products": samples["bare products"]}
    flops, moved = 4.0 * BATCH * ((D - 1) * H + 1.5 * H * C), float(X_batch.nbytes)
    work = f"two-layer training step, batch {BATCH}, {D - 1:,}-{H}-{C}, {dtype}"
    alone = f"gather alone, X[rows] of that step, {dtype}"
    return [
        Row(work, "usual", samples, 0.9, dtype, flops, moved),
        Row(alone, "bare products", gather, None, dtype, 0, moved),
    ]


def svm_rows(sizes: Sizes, dtype: str) -> list[Row]:
    """A step of the linear SVM, from whole training runs."""
    X, y = data(dtype, sizes.rows)
    steps, rate, reg = sizes.steps, 1e-4, 0.1
    options: Any = {"num_iters": steps, "batch_size": BATCH}
    calls: Calls = {
        "package": (lambda: LinearSVM().train(X, y, rate, reg, **options), steps),
        "usual": (partial(peers.usual_linear_training, X, y, rate, reg, **options), steps),
    }
    if torch := peers.installed("torch"):
        peer, start, some = peers.Torch(torch, X, y), [weights(dtype)], max(1, steps // 5)
        calls["PyTorch"] = (partial(peer.training, "SVM", start, rate, reg, some), some)
    samples = measure(calls, sizes.rounds, sizes)
    least = (4.0 * BATCH * D * C, float(BATCH * D * X.itemsize))
    work = f"linear SVM training step, batch {BATCH}, {dtype}"
    return [Row(work, "usual", samples, 0.95, dtype, *least)]


@contextmanager
def busy() -> Iterator[None]:
    """Keep all processors at work with plain Python loops."""
    loop = [sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(loop) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in loops:
            process.kill()
            process.wait()


def busy_rows(sizes: Sizes) -> list[Row]:
    """The steps of both models where other programs want all processors, too."""
    short = replace_in(sizes, steps=max(1, sizes.steps // 10))
    with busy():
        rows = [svm_rows(short, "float32")[0], net_rows(short, "float32")[0]]
    return [replace_in(row, work=f"{row.work}, processors busy", goal=0.25) for row in rows]


def grid(num_runs: int) -> list[dict[str, Any]]:
    """Return settings of so many runs, none of which diverges."""
    rates, regs = np.geomspace(1e-6, 1e-4, 4), np.geomspace(1e-3, 1, 4)
    pairs = itertools.product(rates.tolist(), regs.tolist())
    return [{"learning_rate": rate, "reg": reg} for rate, reg in pairs][:num_runs]


def grid_rows(sizes: Sizes) -> list[Row]:
    """A search of 16 runs, against 16 single ones."""
    X, y = data("float32", sizes.rows)
    X_val, y_val = X[:1000], y[:1000]
    options: Any = {"num_iters": sizes.steps // 2, "batch_size": BATCH}

    accuracies: dict[str, list[float]] = {}

    def single() -> None:
        accuracies["single"] = []
        for setting in grid(16):
            model = LinearSVM()
            model.train(X, y, **setting, **options)
            np.mean(model.predict(X) == y)
            accuracies["single"].append(float(np.mean(model.predict(X_val) == y_val)))

    def together() -> None:
        found = search(LinearSVM, X, y, X_val, y_val, grid(16), **options)
        accuracies["together"] = [record["val_accuracy"] for record in found.records]

    def usual() -> None:
        for s in grid(16):
            W = peers.usual_linear_training(X, y, s["learning_rate"], s["reg"], **options)
            for A, b in ((X, y), (X_val, y_val)):
                np.mean(np.argmax(A.dot(W), axis=1) == b)

    calls: Calls = {"16 single runs": (single, 1), "package": (together, 1), "usual": (usual, 1)}
    samples = measure(calls, min(sizes.rounds, 3), sizes)
    apart = np.abs(np.subtract(accuracies["together"], accuracies["single"])).max()
    steps, passes = 4.0 * BATCH * D * C * options["num_iters"], 2.0 * len(X) * D * C
    moved = 4.0 * D * (BATCH * options["num_iters"] + len(X))
    work = "grid of 16 (learning rate, reg) pairs, linear SVM, float32"
    note = f"Validation accuracies of search and single runs differ by {apart:.4f} at most."
    least = (16 * (steps + passes), moved)
    return [Row(work, "16 single runs", samples, 0.25, "float32", *least, note=note)]


def scalings(sizes: Sizes) -> list[Scaling]:
    """Time against N, D, C, K and workers."""
    quarter, tenth = max(sizes.rows // 4, 16), max(sizes.rows // 10, 100)
    short: Any = {"num_iters": sizes.steps // 2, "batch_size": BATCH}
    run: Any = {"num_iters": sizes.steps, "batch_size": BATCH, "hidden_size": H}
    settings = {"learning_rate": [1e-4, 1e-3], "reg": [1e-3, 1e-2]}

    def loss(*shape: int) -> Callable[[], Any]:
        X, y = data("float32", *shape)
        W = weights("float32", *shape[1:])
        return partial(cs231n_helpers.softmax_loss_vectorized, W, X, y)

    def linear_search(K: int) -> Callable[[], Any]:
        X, y = data("float32", sizes.rows)
        return partial(search, LinearSVM, X, y, X[:1000], y[:1000], grid(K), **short)

    def net_search(n_jobs: int) -> Callable[[], Any]:
        X, y = data("float32", tenth)
        return partial(search, TwoLayerNet, X, y, X[:500], y[:500], settings, n_jobs=n_jobs, **run)

    def scaling(
        work: str, quantity: str, points: Sequence[int], call: Callable[[int], Callable[[], Any]]
    ) -> Scaling:
        return Scaling(work, quantity, points, [_median(call(p), sizes) for p in points])

    work = "softmax loss + gradient, float32"
    found = [
        scaling(work, "N", [sizes.rows // k for k in (8, 4, 2, 1)], lambda N: loss(N, D, C)),
        scaling(work, "D", [(D - 1) // k for k in (8, 4, 2, 1)], lambda D: loss(quarter, D, C)),
        scaling(work, "C", [C, 2 * C, 4 * C, 8 * C], lambda C: loss(quarter, D, C)),
        scaling("search, linear SVM", "K", [1, 4, 16], linear_search),
    ]
    processes = "search, two-layer net, 4 runs, one thread a process"
    with threadpool_limits(1):  # as in the processes that search starts
        return [*found, scaling(processes, "workers", [1, 2], net_search)]


def _median(call: Callable[[], Any], sizes: Sizes) -> float:
    rounds = min(sizes.rounds, 3)
    return statistics.median(measure({"": (call, 1)}, rounds, sizes)[""])


def roofline(sizes: Sizes) -> dict[str, float]:
    """Return the peak rate of products (flop/s) by dtype, and of reading memory (byte/s)."""
    peak = {}
    for dtype in ("float32", "float64"):
        A = np.ones((sizes.square, sizes.square), dtype)
        samples = measure({"": (partial(np.matmul, A, A), 1)}, sizes.rounds, sizes)
        peak[dtype] = 2 * sizes.square**3 / min(samples[""])
    x = np.ones(2**26)  # half a gigabyte, more than any cache holds
    samples = measure({"": (partial(np.dot, x, x), 1)}, sizes.rounds, sizes)
    return {**peak, "memory": x.nbytes / min(samples[""])}


def imagenet(sizes: Sizes, rates: dict[str, float]) -> str:
    """Return what all of ImageNet-1k's features would take, from a slice of their shape."""
    N, num_features, num_classes = 1_281_167, 2_048, 1_000
    X, y = data("float32", sizes.slice, num_features, num_classes)
    W = weights("float32", num_features, num_classes)
    seconds = _median(partial(cs231n_helpers.softmax_loss_vectorized, W, X, y), sizes)
    flops = 4.0 * N * num_features * num_classes
    tracemalloc.start()
    cs231n_helpers.softmax_loss_vectorized(W, X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rows = next(blocks(N, num_features * 4)).stop
    bytes_X = N * num_features * 4
    return (
        f"All of ImageNet-1k as features, {N:,} x {num_features:,}, C = {num_classes:,}, float32: "
        f"a slice of {len(X):,} rows takes {seconds:.2f} s, so one pass of softmax loss and "
        f"gradient, linear in N, takes {seconds * N / len(X):.0f} s on this machine. At its peak "
        f"the products alone ({flops / 1e12:.1f} Tflop) take {flops / rates['float32']:.0f} s and "
        f"reading X, once it is in memory, {bytes_X / rates['memory']:.1f} s; from a disk of "
        f"1 GB/s, {bytes_X / 1e9:.0f} s. Memory: X is {bytes_X / 1e9:.1f} GB, an `np.memmap` of "
        f"which a block of {rows} rows, {rows * num_features * 4 / 1e6:.1f} MB, is needed at a "
        f"time; W and dW are {W.nbytes / 1e6:.1f} MB each, scores and their gradient "
        f"{rows * num_classes * 4 / 1e6:.1f} MB each for a block. All that a pass allocates, dW "
        f"included, is {peak / 1e6:.0f} MB at its peak, however many rows X has.\n"
    )


def jobs(sizes: Sizes) -> dict[str, Callable[[], list[Row]]]:
    """Return what there is to measure, by name; those that share data stand beside each other."""
    found: dict[str, Callable[[], list[Row]]] = {"CIFAR-10": partial(cifar10_rows, sizes)}
    for dtype in ("float64", "float32"):
        full = 0.6 if dtype == "float64" else 0.7
        for N, goal in ((sizes.rows, full), (sizes.small, 1.05)):
            name = f"loss and gradient, N = {N:,}, {dtype}"
            found[name] = partial(loss_rows, sizes, dtype, N, goal)
        found[f"linear SVM training step, {dtype}"] = partial(svm_rows, sizes, dtype)
        found[f"two-layer training step, {dtype}"] = partial(net_rows, sizes, dtype)
    found["training steps, processors busy"] = partial(busy_rows, sizes)
    return {**found, "grid": partial(grid_rows, sizes)}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try it out; no files")
    parser.add_argument(
        "--only", metavar="TEXT", help="rows whose name has it, no scaling or files"
    )
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    os.environ["CS231N_PROGRESS"] = "0"  # one bar is enough
    for name, label in PEERS.items():
        if find_spec(name) is None:
            print(f"{label} is not installed and is skipped: make bench-peers installs it")

    chosen = {n: job for n, job in jobs(sizes).items() if (options.only or "").lower() in n.lower()}
    if not chosen:
        parser.error(
            f"--only {options.only}: no row has that in its name: {', '.join(jobs(sizes))}"
        )
    rows: list[Row] = []
    with tqdm(total=len(chosen) + 1 + (not options.only), leave=False, disable=None) as bar:
        for name, job in chosen.items():
            bar.set_description(name)
            rows += job()
            bar.update()
        bar.set_description("machine")
        rates = roofline(sizes)
        bar.update()
        if options.only:
            scaled, on_paper = [], ""
        else:
            bar.set_description("scaling")
            scaled, on_paper = scalings(sizes), imagenet(sizes, rates)
    found = report(rows, rates, scaled, on_paper)
    print(machine(), found, sep="\n")
    if options.quick or options.only:
        return
    replace(HERE / "results.png", partial(draw, rows))
    replace(HERE / "results.md", lambda part: part.write_text(whole(found), "utf-8"))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted: nothing is written")
