"""The report in words, as a table and as pictures."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
from loss_examples import changed, data, net_data, net_loss
from matplotlib.figure import Figure

from cs231n_helpers import (
    Finding,
    GradientReport,
    WrongGradientError,
    check_gradient,
    svm_input_gradient,
    svm_loss,
    svm_loss_vectorized,
)


class TestReport:
    def wrong(self):
        return check_gradient(
            changed(net_loss, lambda g: {**g, "W2": 2 * g["W2"]}), *net_data(), 0.1
        )

    def test_words(self):
        report = self.wrong()
        assert isinstance(report, GradientReport)
        assert str(report).startswith(
            "The gradient is wrong (relative error 0.5).\n1. W2: It is 2 "
        )
        assert str(report).endswith("[scale_const]")
        assert repr(report) == "<GradientReport wrong: scale_const>"
        twice = changed(net_loss, lambda g: {**g, "W1": 2 * g["W1"], "b2": 2 * g["b2"]})
        report = check_gradient(twice, *net_data(), 0.1)
        assert repr(report) == "<GradientReport wrong: scale_const>"
        assert str(report).splitlines()[1].startswith("1. W1, b2: It is 2 times ")
        right = check_gradient(net_loss, *net_data(), 0.1)
        assert str(right) == "The gradient is correct (relative error below 1e-7)."
        assert repr(right) == "<GradientReport correct>"
        assert 0 <= right.max_relative_error < 1e-7
        np.testing.assert_allclose(self.wrong().max_relative_error, 0.5, atol=0.02)

    def test_lines_fit_the_screen(self):
        for text in (str(self.wrong()), self.wrong().explain()):
            assert max(map(len, text.splitlines())) <= 96

    def test_html(self):
        html = self.wrong()._repr_html_()
        assert "<td style='text-align:left'>W2</td>" in html
        assert "<code>scale_const</code>" in html
        assert html.count("<tr>") == html.count("</tr>") == 2
        html = Finding("code", "use `a < b` here").as_caution()
        report = GradientReport("correct", (html,), 9, 0.0)
        assert "use <code>a &lt; b</code> here" in report._repr_html_()
        assert "<table" not in check_gradient(net_loss, *net_data(), 0.1)._repr_html_()

        def named(params):
            return np.sum(params["<b>"] ** 2), {"<b>": params["<b>"]}

        html = check_gradient(named, {"<b>": np.ones(2)})._repr_html_()
        assert "&lt;b&gt;" in html
        assert "<b></td>" not in html

    def test_raise_if_wrong(self):
        check_gradient(net_loss, *net_data(), 0.1).raise_if_wrong()
        with pytest.raises(WrongGradientError, match="W2: It is 2 times") as caught:
            self.wrong().raise_if_wrong()
        assert caught.value.report.verdict == "wrong"

    def test_explain_has_the_figures(self):
        report = self.wrong()
        text = report.explain()
        assert "W2: everywhere" in text
        assert "softmax cross-entropy, hidden ReLU" in text
        assert len(report.steps) >= 5

    def test_plot(self):
        params, X, y = net_data()
        report = self.wrong()
        figure = report.plot()
        assert isinstance(figure, Figure)
        scatter, steps, *images = figure.axes[:6]
        lines = {line.get_label(): line for line in scatter.lines}
        _, gradient = net_loss(params, X, y, 0.1)
        for name in params:
            numerical, analytic = (np.asarray(a) for a in lines[name].get_data())
            exact = gradient[name].ravel()
            np.testing.assert_allclose(numerical, exact, atol=1e-8)
            np.testing.assert_allclose(analytic, 2 * exact if name == "W2" else exact, atol=1e-12)
        assert len(steps.lines[0].get_xdata()) == 11
        assert steps.get_xscale() == steps.get_yscale() == "log"
        largest = max(np.abs(g).max() for g in gradient.values())
        for name, ax in zip(params, images, strict=True):
            image = ax.images[0]
            expected = np.abs(gradient[name]) / largest if name == "W2" else 0 * gradient[name]
            np.testing.assert_allclose(
                image.get_array(), np.atleast_2d(expected), atol=1e-6 * expected.max() + 1e-9
            )
            assert image.get_clim() == images[0].images[0].get_clim()
            assert image.get_clim()[0] == 0
            assert str(params[name].shape) in ax.get_title()
        assert report.evaluations == self.wrong().evaluations

    def test_plot_of_many_entries_is_quick_and_changes_nothing(self):
        W, X, y = data(50, 300, 10, scale=0.05)
        calls, seen = itertools.count(), []

        def counted(W, X, y, reg):
            next(calls)
            seen.append(W)
            return svm_loss_vectorized(W, X, y, reg)

        report = check_gradient(counted, W, X, y, 0.1)
        before = next(calls)
        figure = report.plot()
        assert next(calls) - before < 400
        assert seen == []
        assert figure.axes[2].images[0].get_array().shape == (8, 8)

    @pytest.mark.parametrize("delta", [0.3, 0.7, 0.9, 1.0, 1.3])
    def test_a_margin_that_cannot_be_seen_from_outside_is_no_offset(self, delta):
        rng = np.random.RandomState(231)
        W, X = rng.standard_normal((5, 4)), rng.standard_normal((7, 5))
        y = np.array([0, 3, 3, 1, 3, 2, 1])

        def by_input(X):
            loss = svm_loss(X @ W, y, delta=delta)[0]
            return loss, svm_input_gradient(W, X, y, delta=delta)

        def counted(X):  # max(0, delta) at the correct class, too
            loss = svm_loss(X @ W, y, delta=delta)[0] + delta
            return loss, svm_input_gradient(W, X, y, delta=delta)

        assert check_gradient(by_input, X).verdict == "correct"
        assert [f.code for f in check_gradient(counted, X).findings] == ["loss_offset"]

    def test_plot_of_nothing(self):
        report = check_gradient(lambda w: (1.0, np.ones(3)), np.ones(2))
        with pytest.raises(ValueError, match="nothing to draw"):
            report.plot()

    def test_it_is_silent(self, capfd):
        self.wrong()
        assert capfd.readouterr() == ("", "")

    def test_signature(self):
        parameters = inspect.signature(check_gradient).parameters
        assert list(parameters) == ["loss", "params", "args", "rng", "kwargs"]

    @pytest.mark.parametrize("params", [3.0, {"w": np.ones(2), "b": 0.5, "none": np.ones((0, 2))}])
    def test_pictures_of_single_numbers(self, params):
        def loss(p):
            if isinstance(p, dict):
                return sum(np.sum(v**2) for v in p.values()), {k: 2 * v for k, v in p.items()}
            return p**2, 2 * p

        assert isinstance(check_gradient(loss, params).plot(), Figure)
