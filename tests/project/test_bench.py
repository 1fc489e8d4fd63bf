"""The benchmarks compare like with like and report what they measured; nothing here is timed."""

from __future__ import annotations

from functools import partial

import bench
import numpy as np
import peers
import pytest
import report
from numpy.testing import assert_allclose

from cs231n_helpers import LinearSVM, TwoLayerNet

RNG = np.random.RandomState(0)
X, y, W = RNG.randn(450, 6), np.arange(450) % 4, RNG.randn(6, 4)


@pytest.mark.parametrize("name", bench.LOSSES)
def test_usual_losses_are_those_of_the_package(name):
    ours, usual = bench.LOSSES[name]
    for a, b in zip(ours(W, X, y, 0.3), usual(W, X, y, 0.3), strict=True):
        assert_allclose(b, a, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", bench.LOSSES)
def test_pytorch_s_losses_are_those_of_the_package(name):
    torch = pytest.importorskip("torch")
    expected = bench.LOSSES[name][0](W, X, y, 0.3)
    for a, b in zip(expected, peers.Torch(torch, X, y).linear(name, W, 0.3), strict=True):
        assert_allclose(b, a, rtol=1e-12, atol=1e-15)


def test_usual_net_is_that_of_the_package():
    net = TwoLayerNet(6, 5, 4, std=1.0)
    loss, grads = net.loss(X, y, 0.3)
    usual_loss, usual_grads = peers.usual_net(net.params, X, y, 0.3)
    assert_allclose(usual_loss, loss)
    for name, grad in grads.items():
        assert_allclose(usual_grads[name], grad, rtol=1e-10, atol=1e-15)


def test_usual_training_ends_where_the_package_s_ends():
    model = LinearSVM()
    model.train(X, y, 0.01, 0.3, num_iters=9, batch_size=20)
    assert_allclose(peers.usual_linear_training(X, y, 0.01, 0.3, 9, 20), model.W)

    net = TwoLayerNet(6, 5, 4, std=1.0)
    params = {name: p.copy() for name, p in net.params.items()}
    net.train(X, y, X, y, 0.01, 1.0, 0.3, num_iters=9, batch_size=200)
    peers.usual_net_training(params, X, y, 0.01, 0.3, 9)
    for name, p in net.params.items():
        assert_allclose(params[name], p)


def test_measure_divides_by_calls_and_units(monkeypatch):
    now = 0.0

    def call(seconds):
        nonlocal now
        now += seconds

    monkeypatch.setattr(bench.time, "perf_counter", lambda: now)
    seconds = {"longest": 2.5, "long": 1.5, "short": 0.25}
    calls = {name: (partial(call, s), 4) for name, s in seconds.items()}
    samples = bench.measure(calls, rounds=3, sizes=bench.Sizes(at_least=1.0, pause=0.0))
    assert samples == {name: [s / 4] * 3 for name, s in seconds.items()}
    # the longest is not warmed up, one short call of five does nothing else
    assert now == 3 * 2.5 + (1 + 3) * 1.5 + (2 + 3 * 5) * 0.25


def test_ratio_is_the_median_of_the_rounds():
    row = report.Row("work", "bare", {"package": [1.0, 6.0, 9.0], "bare": [2.0, 2.0, 9.0]})
    assert row.ratio() == 1.0  # of 0.5, 3, 1
    assert row.ratio("PyTorch") is None


@pytest.mark.parametrize("power", [-1.0, 0.7, 1.0])
def test_exponent_is_fitted(power):
    points = [1, 2, 4, 16]
    scaling = report.Scaling("work", "N", points, [3 * p**power for p in points])
    assert scaling.exponent == pytest.approx(power)


def test_report_holds_every_row(tmp_path):
    rows = bench.loss_rows(bench.QUICK, "float32", bench.QUICK.small, 1.1)
    rows.append(report.Row("met", "usual", {"package": [0.5], "usual": [1.0]}, 0.5))
    rows.append(report.Row("missed", "usual", {"package": [0.6], "usual": [1.0]}, 0.5))
    rows.append(report.Row("peak", "usual", {"package": [7.0], "usual": [14.0]}, unit="MB"))
    rates = {"float32": 2e9, "float64": 1e9, "memory": 1e10}
    scaled = [report.Scaling("loss", "N", [1, 2], [1.0, 2.0])]
    text = report.whole(report.report(rows, rates, scaled, "on paper"))
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    found = {line[0]: line for line in reversed(lines) if line}  # the first table wins
    assert {row.work for row in rows} <= found.keys()
    assert found["met"][1:8] == ["usual", "500 ms", "1,000 ms", "0.5", "yes", "0.50", "1.00"]
    assert found["missed"][5:7] == ["no", "0.60"]
    assert found["peak"][2:7] == ["7.00 MB", "14.0 MB", "", "", "0.50"]
    assert found["loss"][-1] == "1.00"
    assert "## How it is fast" in text
    assert text.endswith("on paper")

    report.draw(rows, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_an_interrupt_leaves_the_old_file(tmp_path):
    def interrupted(part):
        part.write_text("half", "utf-8")
        raise KeyboardInterrupt

    path = tmp_path / "results.md"
    report.replace(path, lambda part: part.write_text("whole", "utf-8"))
    with pytest.raises(KeyboardInterrupt):
        report.replace(path, interrupted)
    assert path.read_text("utf-8") == "whole"
    assert list(tmp_path.iterdir()) == [path]
