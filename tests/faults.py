"""Put faults into the package, one at a time, and see whether the notebooks notice each.

A fault is one line of FAULTS: module, a text that stands in it once, the wrong text, and the number
of the notebook that should notice first. Each is written into a copy of the package, and the
notebooks run against the copy under strict nbval until one of them turns red. The score is the
share of faults that were noticed; the exit code is 0 only where it is all of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 300  # seconds for one notebook


@dataclass(frozen=True)
class Fault:
    module: str
    right: str
    wrong: str
    notebook: str

    def __str__(self) -> str:
        return f"{self.module}: {self.right.strip()!r} -> {self.wrong.strip()!r}"

    def put_into(self, package: Path) -> None:
        path = package / f"{self.module}.py"
        text = path.read_text(encoding="utf-8")
        if text.count(self.right) != 1:
            raise ValueError(
                f"{self.right!r} stands {text.count(self.right)} times in {path.name}, but a fault "
                "needs a place of its own: bring tests/faults.py up to date with the package"
            )
        path.write_text(text.replace(self.right, self.wrong), encoding="utf-8")


FAULTS = [
    Fault(*line)
    for line in [
        # losses on scores
        ("losses", "y, np.newaxis] + delta", "y, np.newaxis] - delta", "01"),
        ("losses", "y, np.newaxis] + delta", "y, np.newaxis] + 1.0", "01"),
        ("losses", "    margins[rows, y] = 0\n", "", "01"),
        ("losses", "active = margins > 0", "active = margins >= 0", "01"),
        ("losses", "np.maximum(margins, 0).sum(dtype=np.float64) / len(y)",
         "np.maximum(margins, 0).sum(dtype=np.float64)", "01"),
        ("losses", "np.maximum(margins, 0).sum", "margins.sum", "01"),
        ("losses", "-active.sum(axis=1)", "-1", "01"),
        ("losses", "-active.sum(axis=1)", "active.sum(axis=1)", "01"),
        ("losses", "dscores[rows, y] = -active.sum(axis=1)\n    dscores /= len(y)\n", "dscores[rows, y] = -active.sum(axis=1)\n", "01"),
        ("losses", "shifted = scores - scores.max(axis=1, keepdims=True)", "shifted = scores", "02"),
        ("losses", "scores.max(axis=1, keepdims=True)", "scores.max(axis=0, keepdims=True)", "02"),
        ("losses", "- shifted[rows, y]).sum", "- shifted[rows, y[0]]).sum", "02"),
        ("losses", "(np.log(totals[:, 0]) - shifted", "(np.log2(totals[:, 0]) - shifted", "02"),
        ("losses", "shifted[rows, y]).sum(dtype=np.float64) / len(y)", "shifted[rows, y]).sum(dtype=np.float64)", "02"),
        ("losses", "    dscores[rows, y] -= 1\n", "    dscores[rows, y] += 1\n", "02"),
        ("losses", "dscores[rows, y] -= 1\n    dscores /= len(y)\n", "dscores[rows, y] -= 1\n", "02"),
        # from scores to weights and input
        ("losses", "dW += block_gradient.T", "dW -= block_gradient.T", "01"),
        ("losses", "dW += block_gradient.T", "dW = block_gradient.T", "01"),
        ("losses", "dW += block_gradient.T", "dW = dW + block_gradient.T", "10"),
        ("losses", "loss, dW = l2_penalty(W, reg, reg_scale)\n    dtype",
         "loss, dW = 0.0, l2_penalty(W, reg, reg_scale)[1]\n    dtype", "01"),
        ("losses", "share = len(X_block) / len(X)", "share = 1.0", "10"),
        ("losses", "loss += block_loss\n        dW", "loss = block_loss\n        dW", "01"),
        ("losses", "return share * block_loss, (share", "return block_loss, (share", "10"),
        ("losses", "(share * dscores).T @ X_block", "dscores.T @ X_block", "10"),
        ("losses", "block_loss, dscores = scores_loss(scores, y[rows])", "block_loss, dscores = scores_loss(scores, y[: len(X_block)])", "10"),
        ("validation", "range(0, num_rows, max(", "range(0, num_rows - step + 1, max(", "10"),
        ("validation", "range(0, num_rows, max(", "range(0, num_rows, 1 + max(", "10"),
        ("validation", "min(start + step, num_rows))", "min(start + step, num_rows - 1))", "03"),
        ("threads", "while ahead:", "while len(ahead) > 1:", "10"),
        ("losses", "scores_loss(scores, y[rows])[1]) @ W.T", "scores_loss(scores, y[rows])[1]) @ -W.T", "04"),
        ("losses", "(share * scores_loss", "(share / len(y) * scores_loss", "04"),
        ("losses", "return _input_gradient(lambda S, y: _hinge(S, y, delta), W, X, y)",
         "return _input_gradient(lambda S, y: _hinge(S, y, 1.0), W, X, y)", "04"),
        ("losses", "return _input_gradient(_cross_entropy, W, X, y)",
         "return _input_gradient(lambda S, y: _hinge(S, y, 1.0), W, X, y)", "04"),
        ("losses", "return _linear_loss(lambda S, y: _hinge(S, y, delta)",
         "return _linear_loss(lambda S, y: _hinge(S, y, 1.0)", "01"),
        ("losses", "return _linear_loss(_cross_entropy, W, X, y, reg, reg_scale)",
         "return _linear_loss(_cross_entropy, W, X, y, reg, 0.5)", "02"),
        # the penalty
        ("losses", "squares, strength * W", "squares, 0.5 * strength * W", "01"),
        ("losses", "squares, strength * W", "squares, strength * np.sum(W) + 0 * W", "01"),
        ("losses", "strength = 2 * reg_scale * reg", "strength = reg", "01"),
        ("losses", "squares = float(np.einsum(\"ij,ij->i\", rows, rows)", "squares = float(np.einsum(\"ij->i\", abs(rows))", "01"),
        # the loops
        ("losses", "if j == label or margin <= 0:", "if j == label or margin < 0:", "01"),
        ("losses", "if j == label or margin <= 0:", "if margin <= 0:", "01"),
        ("losses", "            dW[:, label] -= x_i", "            dW[:, label] += x_i", "01"),
        ("losses", "scores[j] - scores[label] + delta", "scores[j] - scores[label] + 1.0", "01"),
        ("losses", "            data_loss += float(margin)", "            data_loss += 1.0", "01"),
        ("losses", "(probability - (j == label)) * x_i", "(probability - (j != label)) * x_i", "02"),
        ("losses", "(probability - (j == label)) * x_i", "probability * x_i", "02"),
        ("losses", "scores = scores - scores.max()  #", "scores = scores - 0.0  #", "02"),
        ("losses", "float(np.log(total) - scores[label])", "float(scores[label])", "02"),
        # linear classifiers and their training
        ("training", "model.W - learning_rate * dW", "model.W + learning_rate * dW", "01"),
        ("training", "model.W - learning_rate * dW", "model.W - 1e-3 * dW", "01"),
        ("training", "model.loss(X_batch, y_batch, reg)", "model.loss(X_batch, y_batch, 0.0)", "10"),
        ("classifiers", "np.argmax(scores, axis=1)", "np.argmin(scores, axis=1)", "01"),
        ("classifiers", "if self.W is None:\n            self.W = first", "if True:\n            self.W = first", "01"),
        ("classifiers", "partial(svm_loss_vectorized, delta=delta, reg_scale=reg_scale)",
         "partial(svm_loss_vectorized, reg_scale=reg_scale)", "01"),
        ("classifiers", "partial(softmax_loss_vectorized, reg_scale=reg_scale)",
         "partial(softmax_loss_vectorized)", "02"),
        ("classifiers", "weights: Floats = 0.001 * rng", "weights: Floats = 10.0 * rng", "10"),
        ("training", "rows = rng.choice(len(X), batch_size)", "rows = np.arange(batch_size) % len(X)", "01"),
        ("training", "rows = rng.choice(len(X), batch_size)", "rows = rng.choice(len(X), 1)", "01"),
        ("training", "gather(X, rows), y[rows])", "gather(X, rows), y[rows[::-1]])", "01"),
        ("training", "losses.append(loss)", "losses.insert(0, loss)", "01"),
        # the net
        ("classifiers", "(std * rng", "(2 * std * rng", "03"),
        ("classifiers", "np.zeros(shape[1], dtype)", "np.ones(shape[1], dtype)", "03"),
        ("layers", "np.maximum(0, hidden, out=hidden)", "np.abs(hidden, out=hidden)", "03"),
        ("layers", "    out += b\n", "    out += 0 * b\n", "03"),
        ("layers", "    out += b\n", "    out -= b\n", "03"),
        ("losses", "        loss += penalty\n", "        loss = loss + 2 * penalty\n", "03"),
        ("losses", "if name[0] == \"W\"", "if name == \"W1\"", "03"),
        ("layers", "where=x <= 0)", "where=dout <= 0)", "03"),
        ("layers", "where=x <= 0)", "where=x < 0)", "03"),
        ("layers", "_stopped(dout @ params", "_stopped(-dout @ params", "03"),
        ("losses", "grads[name] += dW_penalty", "grads[name] += 0", "03"),
        ("layers", "inputs[k - 1].T @ dout, dout.sum(", "inputs[k - 1].T @ dout, dout.mean(", "03"),
        ("losses", "grads[name] += dW_penalty", "grads[name] += 2 * dW_penalty", "03"),
        ("layers", "inputs[k - 1].T @ dout,", "-inputs[k - 1].T @ dout,", "03"),
        ("training", "rate *= decay", "rate *= 1.0", "03"),
        ("training", "epoch_ends = (iteration + 1) %", "epoch_ends = iteration %", "03"),
        ("training", "p -= rate * grads[name]", "p += rate * grads[name]", "03"),
        ("training", "name: np.array(p) for", "name: p for", "03"),
        ("classifiers", "self.predict(X[sample]) == y[sample]", "self.predict(X[:batch_size]) == y[:batch_size]", "03"),
        ("classifiers", "self.predict(X_val) == y_val", "self.predict(X[sample]) == y[sample]", "03"),
        ("classifiers", "np.argmax(self.loss(X[rows]), axis=1)", "np.argmin(self.loss(X[rows]), axis=1)", "03"),
        # gradient checks
        ("gradient_check", "return float(above - below) / step", "return float(above - below) / h", "01"),
        ("gradient_check", "return float(above - below) / step", "return float(below - above) / step", "01"),
        ("gradient_check", "np.sum((above - below) * df) / step", "np.sum(above - below) / step", "02"),
        ("gradient_check", "np.sum((above - below) * df) / step", "np.sum((above - below) * df) / h", "02"),
        ("gradient_check", "        x[index] = before\n", "        pass\n", "01"),
        ("gradient_check", "abs(numerical - exact) / size", "0.0", "01"),
        ("gradient_check", "0.0 if size == 0 else abs", "abs", "01"),
        ("gradient_check", "np.max(np.abs(a - b)", "np.min(np.abs(a - b)", "01"),
        ("gradient_check", "np.abs(a) + np.abs(b))))", "np.abs(a - b))))", "01"),
        # the gradient checker: is it wrong
        ("doctor/slopes", "right=float(analytic[1:].mean()) - rise / h", "right=float(analytic[1:].mean()) + rise / h", "08"),
        ("doctor/slopes", "analytic @ [1, 4, 1]) / 6", "analytic @ [1, 4, 1]) / 5", "08"),
        ("doctor/slopes", "return min(abs(self.error), halves) <= self.tolerance",
         "return min(abs(self.error), halves) <= 1e7 * self.tolerance", "08"),
        ("doctor/slopes", "v[part] = z / np.linalg.norm(z)", "v[part.start] = z[0]", "08"),
        ("doctor/slopes", "h = STEP * max(", "h = 1e5 * STEP * max(", "08"),
        ("doctor/slopes", "return Outcome.DIFFERS, before", "return Outcome.AGREES, before", "08"),
        ("doctor/slopes", "return Outcome.KINK, now", "return Outcome.DIFFERS, now", "08"),
        ("doctor/slopes", "if there == Outcome.DIFFERS:\n            at, slope", "if False:\n            at, slope", "08"),
        ("doctor/slopes", "Outcome.KINK if kink else Outcome.AGREES", "Outcome.AGREES", "08"),
        ("doctor/check", "    if different:\n        return _report", "    if False:\n        return _report", "08"),
        ("doctor/conditions", "same = np.isclose(again.value, first.value", "same = True or np.isclose(again.value, first.value", "08"),
        ("doctor/conditions", "if smaller.finite else", "if not smaller.finite else", "08"),
        ("doctor/conditions", "found.outcome == Outcome.KINK", "False", "08"),
        ("doctor/conditions", "rounded or {\"float16\", \"float32\"} & {*kinds}", "rounded", "08"),
        ("doctor/conditions", "not np.any(function.x)", "False", "08"),
        ("doctor/conditions", "abs(strength) < 1e-4", "False", "08"),
        # where
        ("doctor/locate", "np.moveaxis(mask, axis, 0)[half] = True", "np.moveaxis(mask, axis, -1)[half] = True", "08"),
        ("doctor/locate", "(indices[len(half) :], whole - slope.best_error)", "(indices[len(half) :], whole + slope.best_error)", "08"),
        ("doctor/locate", "half = indices[: len(indices) // 2]", "half = indices[: len(indices) // 2 - 1]", "08"),
        ("doctor/locate", "if abs(s.best_error) > 2 * s.tolerance", "if False", "08"),
        ("doctor/locate", "tuple(axes), slope.is_constant", "tuple(axes), False", "08"),
        # calling it safely
        ("doctor/evaluate", "if path in after and same(array, after[path]):", "if path in after:", "08"),
        ("doctor/evaluate", "return array.astype(np.promote_types(array.dtype, np.float64), order=\"K\", copy=True)",
         "return array", "08"),
        ("doctor/evaluate", "self.evaluations += 1", "self.evaluations += 2", "08"),
        ("doctor/evaluate", "missing = [k for k in self.blocks.slices if k not in arrays]", "missing = [k for k in arrays if k not in self.blocks.slices]", "08"),
        ("doctor/evaluate", "(len(shape) == 1 or (len(shape) == 2 and 1 in shape), Code.BIAS_AXIS", "(False, Code.BIAS_AXIS", "08"),
        # which assignment
        ("doctor/small_problem", "REG = 0.3", "REG = 0.0", "08"),
        ("doctor/small_problem", "N, D, C, HIDDEN = 11, 5, 7, (13,", "N, D, C, HIDDEN = 7, 7, 7, (7,", "08"),
        ("doctor/small_problem", "scope.update({k: twin for", "dict({k: twin for", "08"),
        ("doctor/small_problem", "shape_error = shape_error or (error", "shape_error = None and (error", "08"),
        # the reference
        ("doctor/backward", "p.E / p.E.sum(axis=1, keepdims=True)", "p.E / p.E.sum(axis=0, keepdims=True)", "08"),
        ("doctor/backward", "p.gap + p.delta_margin", "p.gap - p.delta_margin", "08"),
        ("doctor/backward", "(p.active - p.T * p.count) / p.N", "(p.active + p.T * p.count) / p.N", "08"),
        ("doctor/backward", "\"dz\": lambda p: p.dh * p.slope", "\"dz\": lambda p: p.dh", "08"),
        ("doctor/backward", "\"db\": lambda p: p.delta.sum(axis=0)", "\"db\": lambda p: p.delta.mean(axis=0)", "08"),
        ("doctor/backward", "lambda z: 1 - np.tanh(z) ** 2),", "lambda z: 1 - z**2),", "08"),
        ("doctor/backward", "lambda p: 2 * (p.Q - p.T) * p.Q * (1 - p.Q) / p.N", "lambda p: 2 * (p.Q - p.T) * p.Q / p.N", "08"),
        # what is wrong
        ("doctor/explain", "factors[k] = factor = fit[0] / match.factor\n", "factor = fit[0] / match.factor\n", "08"),
        ("doctor/explain", "known.code, known.message, arrays, 1.0", "Code.SCALE_CONST, known.message, arrays, 1.0", "08"),
        ("doctor/explain", "len(left & set(e.factors)) - 0.3 * e.contradicts, -e.cost", "-e.contradicts, e.cost", "08"),
        ("doctor/identify", "numerical_both - numerical, analytic_both - analytic", "numerical_both, analytic_both", "08"),
        ("doctor/penalty", "if block.same(numerical, analytic):\n            continue", "if True:\n            continue", "08"),
        ("doctor/penalty", "factor = _multiple(self.analytic, self.numerical)", "factor = _multiple(self.numerical, self.analytic)", "08"),
        ("doctor/wrong_losses", "elif not shifted.finite or (apart and", "elif (apart and", "08"),
        ("doctor/wrong_losses", "offset = measurement.at.value - expected", "offset = 0.0", "08"),
        ("doctor/wrong_losses", "elif len(model.T) > 1 and close(match.factor, len(model.T)):", "elif False:", "08"),
        ("doctor/diagnose", "elif block.numerical.size > 3 and _is_permuted(block.analytic, block.numerical):", "elif False:", "08"),
        ("doctor/explain", "kept = [i for i in counts if abs(weights[i]) > 1e-4", "kept = [i for i in counts if abs(weights[i]) > -1", "08"),
        ("doctor/wrong_losses", "entry = next((e for e in entries if _has_gradient(match.blocks, model, e)), None)", "entry = None", "08"),
        ("doctor/mistakes", "Factor(Code.SCALE_N, lambda n, c: n,", "Factor(Code.SCALE_N, lambda n, c: 1 / n,", "08"),
        ("doctor/penalty", "Penalty(Code.REG_MISSING, lambda p: p.is_zero(p.analytic),", "Penalty(Code.REG_MISSING, lambda p: p.is_zero(p.numerical),", "08"),
        # words and pictures
        ("doctor/report", "return self.verdict == \"correct\"", "return self.verdict != \"wrong\"", "08"),
        ("doctor/report", "places.setdefault((finding.code, finding.message), []).append(finding)",
         "places.setdefault((finding.code, finding.code), []).insert(0, finding)", "08"),
        ("doctor/report", "{_with_code(f.message)}", "{_with_code(f.code)}", "01"),
        ("doctor/report", "for number, step in enumerate(self.steps, start=1):", "for number, step in enumerate(self.steps[1:], start=1):", "08"),
        ("doctor/plot", "points = [(s.numerical, s.analytic)", "points = [(s.numerical, s.numerical + s.error**0)", "08"),
        ("doctor/plot", "if not slope.agrees:", "if slope.agrees:", "08"),
        ("doctor/plot", "abs(slope.best_error) / largest", "0.0", "08"),
        # the visible checks of exercises
        ("exercises/visible", "print(f\"{it} is right:\")", "print(f\"{it} is open:\")", "01"),
        ("exercises/visible", "for line in CHECKS[exercise](student):", "for line in list(CHECKS[exercise](student))[1:]:", "01"),
        ("exercises/compare", "np.abs(a - b).max(initial=0.0)", "np.abs(a + b).max(initial=0.0)", "01"),
        ("exercises/visible", "    if not report:\n", "    if report:\n", "01"),
        ("exercises/student_function", "    if not seen:\n", "    if seen:\n", "01"),
        ("exercises/explain", "return float(reg_scale * reg * sum(", "return float(reg * sum(", "02"),
        ("exercises/visible", "rows = rng.choice(len(X), size)", "rows = rng.choice(len(X), size + 1)", "10"),
        ("exercises/table", "\"svm_dx\": Exercise(\"04_dx_derivation\", \"4.1\"", "\"svm_dx\": Exercise(\"04_dx_derivation\", \"4.2\"", "04"),
        # layers, update rules and training in 09
        ("layers", "return np.maximum(0, x), x", "return np.abs(x), x", "09"),
        ("classifiers", "np.errstate(over=\"ignore\"):\n            X = X.astype(self.dtype, copy=False)", "np.errstate(over=\"ignore\"):\n            X = 2 * X.astype(self.dtype, copy=False)", "09"),
        ("classifiers", "weight_scale, as_rng(rng), self.dtype)", "weight_scale, as_rng(None), self.dtype)", "09"),
        ("optim", "-_rate(config) * dw), config", "_rate(config) * dw), config", "09"),
        ("optim", "velocity = _share(config, \"momentum\") *", "velocity = 0.5 *", "09"),
        ("optim", "    config[\"velocity\"] = velocity\n", "", "09"),
        ("optim", "rho * _memory(config, \"cache\", w) + (1 - rho)", "rho * _memory(config, \"cache\", w) + rho", "09"),
        ("optim", "    config[\"cache\"] = cache\n", "", "09"),
        ("optim", "(np.sqrt(cache) + _epsilon", "(cache + _epsilon", "09"),
        ("optim", "beta1 * _memory(config, \"m\", w) + (1 - beta1)", "beta1 * _memory(config, \"m\", w) + beta1", "09"),
        ("optim", "(1 - beta2) * dw * dw", "(1 - beta2) * dw", "09"),
        ("optim", "t = as_non_negative(\"t\", config[\"t\"]) + 1", "t = as_non_negative(\"t\", config[\"t\"]) + 2", "09"),
        ("optim", "(m / (1 - beta1**t))", "m", "09"),
        ("optim", "t=config[\"t\"] + 1)", "t=0)", "09"),
        ("solver", "grads[name], config)", "-grads[name], config)", "09"),
        ("solver", "self.optim_configs[name] = w, config", "self.optim_configs[name] = w, {}", "09"),
        ("solver", "config[\"learning_rate\"] *= self.lr_decay", "config[\"learning_rate\"] *= 1.0", "09"),
        ("solver", "max(len(self.X_train) // self.batch_size, 1)", "len(self.X_train)", "09"),
        ("solver", "if epoch_ends or iteration == 0:", "if epoch_ends:", "09"),
        ("solver", "if val > self.best_val_acc:", "if val < self.best_val_acc:", "09"),
        ("solver", "self.model.params = _copied(self.best_params)", "pass", "09"),
        ("solver", "self.check_accuracy(self.X_val, self.y_val,", "self.check_accuracy(self.X_train, self.y_train,", "09"),
        ("solver", "batch_size=self.batch_size,\n", "batch_size=1,\n", "09"),
        ("layers", "affine_backward(relu_backward(dout, relu_cache), affine_cache)", "affine_backward(dout, affine_cache)", "09"),
        ("layers", "gradients = (dout @ w.T)", "gradients = -(dout @ w.T)", "09"),
        ("layers", "return _stopped(dx, x)", "return dx", "09"),
        ("exercises/visible", "x.reshape(len(x), -1) @ w + b,", "x.reshape(len(x), -1) @ w - b,", "09"),
        ("exercises/worked_examples", "[1, -4, -5]])  # in eighths", "[1, -4, 5]])  # in eighths", "09"),
        ("exercises/worked_examples", "[1, -4, 0]])  # in eighths", "[1, -4, -5]])  # in eighths", "09"),
        ("exercises/visible", "\"velocity\": np.array([1.0, -1.0])}", "\"velocity\": np.array([1.0, 1.0])}", "09"),
        ("exercises/visible", "\"v\": v, \"t\": 5}", "\"v\": v, \"t\": 4}", "09"),
        # search
        ("search", "pair = (rate, reg)", "pair = (reg, rate)", "02"),
        ("single_run", "return max(finished, key=", "return min(finished, key=", "02"),
        ("single_run", "records[i][\"val_accuracy\"], default", "records[i][\"train_accuracy\"], default", "10"),
        ("single_run", "((X, y, \"X_train\"), (X_val, y_val, \"X_val\"))", "((X_val, y_val, \"X_val\"), (X, y, \"X_train\"))", "03"),
        ("many_runs", "_accuracies(W, C, X_val, y_val)", "_accuracies(W, C, X, y)", "02"),
        ("many_runs", "    W[mine] *= shrink[mine]  # W - rate * (dW + strength * W)\n", "", "02"),
        ("many_runs", "strengths = 2 * reg_scale * regs", "strengths = reg_scale * regs", "02"),
        ("many_runs", "num_runs * step_sizes[mine]", "step_sizes[mine]", "02"),
        ("many_runs", "np.repeat(rates, C)", "np.tile(rates, C)", "02"),
        ("many_runs", "np.repeat(y_batch, num_runs)", "np.tile(y_batch, num_runs)", "02"),
        ("many_runs", "-1, num_classes).argmax(axis=2)", "num_classes, -1).argmax(axis=1)", "02"),
        ("single_run", "\"diverged\" if np.isnan(final_loss) else \"ok\"", "\"ok\"", "02"),
        ("single_run", "diverged_at=getattr(error, \"iteration\", None)", "diverged_at=None", "02"),
        ("many_runs", "W = np.stack([as_matrix(\"W\", linear.W, \"(D, C)\").T for", "W = np.stack([0 * as_matrix(\"W\", linear.W, \"(D, C)\").T for", "02"),
        # figures with sliders
        ("explorers/svm", "state(W, delta / 2)", "state(W, delta)", "01"),
        ("explorers/svm", "state(1.5 * W, delta)", "state(W, delta)", "01"),
        ("explorers/svm", "after = W - 0.5 *", "after = W + 0.5 *", "01"),
        ("explorers/svm", "[1], delta=delta)[0]", "[1], delta=0.0)[0]", "01"),
        ("explorers/svm", "if k != y[i]:", "if True:", "01"),
        ("explorers/svm", "left += margins[:, k]", "left = margins[:, k]", "01"),
        ("explorers/svm", "active = margins.any(axis=1)", "active = margins.all(axis=1)", "01"),
        ("explorers/svm", "np.argmax(plane @ W, axis=-1)", "np.argmin(plane @ W, axis=-1)", "01"),
        ("explorers/svm", "regions, origin=\"lower\"", "regions, origin=\"upper\"", "01"),
        ("explorers/softmax", "scaled = scores / temperature", "scaled = scores * temperature", "02"),
        ("explorers/softmax", "p = gradient[0] + truth", "p = gradient[0]", "02"),
        ("explorers/softmax", "(axes[1], p - truth,", "(axes[1], truth - p,", "02"),
        ("explorers/softmax", "\n    if shift:", "\n    if True:", "02"),
        ("explorers/softmax", "-np.log(p[label])", "np.log(p[label])", "02"),
        ("explorers/graph", "a[\"W2\"] + a[\"b2\"]", "a[\"W2\"] - a[\"b2\"]", "03"),
        ("explorers/graph", "a[\"on\"] * a[\"pre\"]", "a[\"pre\"]", "03"),
        ("explorers/graph", "times * gradient_of", "gradient_of", "03"),
        ("explorers/graph", "step >= _ARRIVES", "step > _ARRIVES", "03"),
        ("explorers/net", "foot = -b1 /", "foot = b1 /", "03"),
        ("explorers/net", "[-normal[1], normal[0]]", "[normal[1], normal[0]]", "03"),
        ("explorers/net", "X[:1], y[:1], learning_rate, 1.0,", "X[:1], y[:1], 1.0, 1.0,", "03"),
        ("explorers/net", "num_classes, 1.0, rng", "num_classes, 0.1, rng", "03"),
        ("explorers/net", "np.mean(net.predict(X) == y)", "np.mean(net.predict(X) != y)", "03"),
        ("explorers/input_step", "rows[example] + step * directions", "rows[example] - step * directions", "04"),
        ("explorers/input_step", "np.mean(gradients**2, axis=1", "np.sum(gradients**2, axis=1", "04"),
        ("explorers/input_step", "change = changed - image", "change = image - changed", "04"),
        ("explorers/input_step", "show_images(changed[np.newaxis]", "show_images(image[np.newaxis]", "04"),
        ("explorers/input_step", "places, P[1], color", "places, P[0], color", "04"),
        ("explorers/input_step", "axes[2].plot(P[0]", "axes[2].plot(P[1]", "04"),
        ("explorers/step_size", "(f(x + h) - f(x)) / h)", "(f(x + h) - f(x)) / (2 * h))", "05"),
        ("explorers/step_size", "(f(x + h) - f(x - h)) / (2 * h)", "(f(x + h) - f(x - h)) / h", "05"),
        ("explorers/step_size", "np.imag(f(x + h * direction)) / h", "-np.imag(f(x + h * direction)) / h", "05"),
        ("explorers/step_size", "number = np.dtype(dtype).type\n    x, h", "number = np.float64\n    x, h", "05"),
        ("explorers/step_size", "np.abs(slopes - slope) / abs(slope)", "np.abs(slopes - slope)", "05"),
        ("explorers/step_size", "WITHIN, WITHIN, \":\"", "WITHIN, -WITHIN, \":\"", "05"),
        ("explorers/update_rules", "np.array([0.5, 0.5 * ratio])", "np.array([0.5, 0.5])", "09"),
        ("explorers/update_rules", "np.array([1.0, ratio]) * path[-1], config", "path[-1], config", "09"),
        ("explorers/update_rules", "returned[0]), returned[1]", "returned[0]), {\"learning_rate\": rate}", "09"),
        ("explorers/update_rules", "ROW)[-20:], ROW)", "ROW)[:20], ROW)", "09"),
        ("explorers/update_rules", "min(tails, key", "max(tails, key", "09"),
        ("explorers/update_rules", "losses[rule][-1], len", "losses[rule][0], len", "09"),
        # pictures
        ("plots", "axes = None if shared else", "axes = None if not shared else", "03"),
        ("plots", "flat, 0.5, (images", "flat, 0.0, (images", "03"),
        ("plots", "(padding, padding), fill=0.0", "(0, 0), fill=0.0", "03"),
        ("plots", "corners = [(k // columns * down, k % columns * across)",
         "corners = [(k % columns * down, k // columns * across)", "10"),
        ("plots", "(0.0, 255.0) if integers else", "(0.0, 128.0) if integers else", "10"),
        ("plots", "_draw_panels(templates, (-limit, limit)", "_draw_panels(templates, (0.0, limit)", "10"),
        ("plots", "limit = float(np.abs(templates).max())", "limit = float(templates.max())", "10"),
        ("plots", "templates = W[:num_pixels].T.reshape", "templates = W[-num_pixels:].T.reshape", "10"),
        ("plots", ": t - before + window]", ": t - before + window + 5]", "10"),
        ("plots", "zip(_ACCURACIES, accuracies,", "zip(_ACCURACIES, accuracies[:1] * 2,", "03"),
        ("drawable", "value).ravel()[-1:]", "value).ravel()[:1]", "10"),
        ("plots", "np.nanargmax(accuracy)", "np.nanargmin(accuracy)", "10"),
        ("plots", "accuracy[np.searchsorted(regs, reg), np.searchsorted(rates, rate)]",
         "accuracy[-1 - np.searchsorted(regs, reg), np.searchsorted(rates, rate)]", "10"),
        ("plots", "regions.reshape(resolution, resolution), origin", "regions.reshape(resolution, resolution).T, origin", "02"),
        ("plots", "origin=\"lower\", aspect", "origin=\"upper\", aspect", "02"),
        # data
        ("datasets/preprocessing", "mean = mean_image(splits.X_train)", "mean = mean_image(splits.X_val)", "10"),
        ("datasets/preprocessing", "    out[:, len(mean) :] = 1\n", "    out[:, len(mean) :] = 0\n", "10"),
        ("datasets/preprocessing", "np.subtract(rows[i : i + 256], mean, out", "np.add(rows[i : i + 256], mean, out", "10"),
        ("datasets/preprocessing", "rows.sum(axis=0, dtype=exact) / len(rows)", "rows.sum(axis=0, dtype=exact) / 1000", "10"),
        ("datasets/spiral", "along * np.cos(t)], axis=1), y", "along * np.sin(t)], axis=1), y", "02"),
        ("datasets/spiral", "t = 4 * (y + along) + noise", "t = 4 * along + noise", "02"),
        ("datasets/preprocessing", "return array.reshape(len(array), -1)", "return array.reshape(len(array), -1)[:, ::-1]", "10"),
    ]
]  # fmt: skip


def notices(fault: Fault, notebooks: list[Path]) -> str | None:
    """Return the name of the first notebook that turns red, or None."""
    order = sorted(notebooks, key=lambda path: not path.name.startswith(fault.notebook))
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "cs231n_helpers"
        shutil.copytree(
            ROOT / "cs231n_helpers", package, ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copytree(ROOT / "data", Path(folder) / "data")
        fault.put_into(package)
        environment = {**os.environ, "PYTHONPATH": folder, "OPENBLAS_NUM_THREADS": "1"}
        for notebook in order:
            copy = Path(folder) / notebook.name
            shutil.copy(notebook, copy)
            command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-x", "-q",
                       "-p", "no:cacheprovider", f"--nbval-cell-timeout={TIMEOUT}", copy.name]  # fmt: skip
            result = subprocess.run(command, cwd=folder, env=environment, capture_output=True)
            if result.returncode == 1:
                return notebook.name
            if result.returncode != 0:
                raise RuntimeError(
                    f"pytest could not run {notebook.name}:\n{result.stdout.decode()}"
                )
    return None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="only faults whose line contains this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    options = parser.parse_args(arguments)
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    faults = [fault for fault in FAULTS if options.only in str(fault)]
    started = time.perf_counter()
    missed = []
    with ThreadPoolExecutor(options.jobs) as pool:
        found = pool.map(lambda fault: notices(fault, notebooks), faults)
        for fault, name in zip(faults, tqdm(found, total=len(faults), disable=None), strict=True):
            tqdm.write(f"{name or 'NOBODY':24} {fault}", file=sys.stdout)
            if name is None:
                missed.append(fault)
    noticed = len(faults) - len(missed)
    share = noticed / max(len(faults), 1)
    seconds = time.perf_counter() - started
    print(f"{noticed} of {len(faults)} faults noticed ({share:.1%}) in {seconds:.0f} s")
    return int(bool(missed) or not faults)


if __name__ == "__main__":
    raise SystemExit(main())
