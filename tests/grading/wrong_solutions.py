"""Wrong solutions of the classroom's exercises: which parts each loses, and what must be said.

Most are a right solution with one thing changed, as learners change it. M1 to M17 number the
mistakes that the notebooks show; M11 (initialization), M12 (unscaled features) and M16 (results of
another setting) cannot be made in these exercises.
"""

# ruff: noqa: E501
# fmt: off
from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

from right_solutions import RIGHT


@dataclass(frozen=True)
class Wrong:
    """A wrong solution; `message` must stand in a sentence of each lost part."""

    exercise: str
    name: str
    mistake: str  # "M8", or "" for mistakes beyond that list
    source: str
    lost: frozenset[str]
    code: str
    message: str


WRONG: list[Wrong] = []
FIRST = {exercise: source for exercise, _, source in reversed(RIGHT)}


def wrong(
    exercise: str,
    name: str,
    mistake: str,
    lost: str,
    code: str,
    message: str,
    *changes: tuple[str, str],
    source: str = "",
) -> None:
    """Declare a solution: the first right one with texts exchanged, or a source of its own."""
    source = dedent(source) or FIRST[exercise]
    for old, new in changes:
        assert old in source, f"{exercise}, {name}: {old!r} is not in the right solution"
        source = source.replace(old, new)
    compile(source, name, "exec")
    parts = frozenset(lost.split(", "))
    WRONG.append(Wrong(exercise, name, mistake, source, parts, code, message))


# --- svm_naive

MARGIN = "max(0, scores[j] - scores[y[i]] + delta)"
wrong("svm_naive", "delta outside the max", "M1", "loss", "loss_wrong_grad_of_other",
      "elta stands outside the max", (MARGIN, "max(0, scores[j] - scores[y[i]]) + delta"))
wrong("svm_naive", "sum instead of mean", "M8", "loss", "scale_inv_N",
      "The loss is N times too large", ("return loss / len(X)", "return loss"))
wrong("svm_naive", "divided by N twice", "M17", "loss", "scale_N",
      "The loss is N times too small", ("/ len(X)", "/ len(X) ** 2"))
wrong("svm_naive", "mean over classes too", "", "loss", "scale_C",
      "The loss is C times too small", ("/ len(X)", "/ len(X) / W.shape[1]"))
wrong("svm_naive", "counts the correct class", "", "loss", "loss_offset",
      "the correct class is counted too", ("if j != y[i]", "if True"))
wrong("svm_naive", "the first label for all", "M3", "loss", "onehot_indexing",
      "first example's label is used", ("scores[y[i]]", "scores[y[0]]"))
wrong("svm_naive", "delta is always 1", "", "loss", "ignores_argument",
      "use the argument delta", ("+ delta", "+ 1"))
wrong("svm_naive", "delta subtracted", "M1", "loss", "loss_wrong_grad_of_other",
      "he loss subtracts delta", ("+ delta", "- delta"))
wrong("svm_naive", "not clipped", "", "loss", "loss_wrong_grad_of_other", "not clipped at 0",
      (MARGIN, "scores[j] - scores[y[i]] + delta"))
wrong("svm_naive", "squared hinge", "", "loss", "loss_wrong_grad_of_other", "is the squared hinge loss",
      (MARGIN, MARGIN + " ** 2"))
wrong("svm_naive", "last example left out", "", "loss", "example_dropped", "he last example contributes nothing",
      ("range(len(X))", "range(len(X) - 1)"))
wrong("svm_naive", "class 0 left out", "", "loss", "single_class_wrong", "leaves one out",
      ("range(W.shape[1])", "range(1, W.shape[1])"))
wrong("svm_naive", "prints the loss", "", "loss", "wrong_type", "The loss is None",
      ("return loss / len(X)", "loss = loss / len(X)"))
wrong("svm_naive", "a loss for each example", "", "loss", "wrong_type", "one real number",
      ("loss = 0.0", "loss = np.zeros(len(X))"), ("loss += ", "loss[i] += "),
      ("return loss / len(X)", "return loss"))
wrong("svm_naive", "scores cut to integers", "", "loss", "not_a_loss", "cut to an integer",
      ("scores = X[i] @ W", "scores = (X[i] @ W).astype(int)"))
wrong("svm_naive", "centers X in place", "M14", "loss", "mutates_input",
      "changes its argument X in place", ("    loss = 0.0", "    X -= X.mean(axis=0)\n    loss = 0.0"))
wrong("svm_naive", "computes with other weights", "M10", "loss", "ignores_argument",
      "The loss does not change when this parameter changes",
      ("    loss = 0.0", "    W = np.linspace(-1, 1, W.size).reshape(W.shape)\n    loss = 0.0"))
wrong("svm_naive", "a minibatch inside", "", "loss", "nondeterministic", "Two calls",
      ("for i in range(len(X)):", "for i in np.random.choice(len(X), len(X)):"))

# --- svm_gradient

wrong("svm_gradient", "sum instead of mean", "M8", "gradient", "scale_N",
      "dW is N times too large: divide by the number of examples", ("return dW / len(X)", "return dW"))
wrong("svm_gradient", "correct class never updated", "", "gradient", "missing_correct_class",
      "correct class is never updated", ("                dW[:, y[i]] -= X[i]\n", ""))
wrong("svm_gradient", "correct class added", "", "gradient", "correct_class_sign",
      "it needs a minus", ("dW[:, y[i]] -=", "dW[:, y[i]] +="))
wrong("svm_gradient", "correct class once an example", "", "gradient", "correct_class_count",
      "once for each class that violates",
      source="""
    def hinge_gradient_loops(W, X, y, delta=1.0):
        dW = np.zeros(W.shape)
        for i in range(len(X)):
            scores = X[i] @ W
            for j in range(W.shape[1]):
                if j != y[i] and scores[j] - scores[y[i]] + delta > 0:
                    dW[:, j] += X[i]
            dW[:, y[i]] -= X[i]
        return dW / len(X)
""")
wrong("svm_gradient", "mask without delta", "M1", "gradient", "hinge_mask_wrong",
      "use the same margins for both", ("+ delta > 0", "> 0"))
wrong("svm_gradient", "delta is always 1", "", "gradient", "ignores_argument",
      "use the argument delta", ("+ delta > 0", "+ 1 > 0"))
wrong("svm_gradient", "transposed", "M2", "gradient", "transpose", "transposed",
      ("return dW / len(X)", "return dW.T / len(X)"))
wrong("svm_gradient", "forced into shape", "M2", "gradient", "transpose",
      "right numbers in the wrong places",
      ("return dW / len(X)", "return dW.T.reshape(W.shape) / len(X)"))
wrong("svm_gradient", "i and j exchanged", "M2", "gradient", "wrong_index",
      "X[j] is used where X[i] belongs",
      ("dW[:, j] += X[i]", "dW[:, j] += X[j]"), ("dW[:, y[i]] -= X[i]", "dW[:, y[i]] -= X[j]"))
wrong("svm_gradient", "margins instead of the mask", "", "gradient", "mask_not_binary",
      "a 0/1 mask belongs",
      ("+= X[i]", "+= (scores[j] - scores[y[i]] + delta) * X[i]"),
      ("-= X[i]", "-= (scores[j] - scores[y[i]] + delta) * X[i]"))
wrong("svm_gradient", "last example left out", "", "gradient", "example_dropped", "he last example contributes nothing",
      ("range(len(X))", "range(len(X) - 1)"))
wrong("svm_gradient", "a minibatch inside", "", "gradient", "nondeterministic", "Two calls",
      ("for i in range(len(X)):", "for i in np.random.choice(len(X), len(X)):"))
wrong("svm_gradient", "never filled in", "", "gradient", "grad_zero", "never filled in",
      ("return dW / len(X)", "return np.zeros_like(W)"))
wrong("svm_gradient", "downhill", "", "gradient", "sign", "The sign is wrong",
      ("return dW /", "return -dW /"))
wrong("svm_gradient", "integer array", "", "gradient", "int_truncation", "decimals",
      ("return dW / len(X)", "return (dW / len(X)).astype(int)"))
wrong("svm_gradient", "collects into W", "M14", "gradient", "mutates_input",
      "changes its argument W in place", ("dW = np.zeros(W.shape)", "dW = W"))
wrong("svm_gradient", "numerical, step 1e-5", "M9", "gradient", "float32", "With float32 input",
      source="""
    def hinge_gradient_loops(W, X, y, delta=1.0):
        def loss(W):
            S = X @ W
            M = np.maximum(0, S - S[np.arange(len(y)), y][:, None] + delta)
            return M.sum() / len(y)

        dW = np.zeros_like(W)
        for i in np.ndindex(*W.shape):
            step = np.zeros_like(W)
            step[i] = 1e-5
            dW[i] = (loss(W + step) - loss(W - step)) / 2e-5
        return dW
""")

# --- svm_vectorized

wrong("svm_vectorized", "gradient summed, loss averaged", "M8", "gradient", "scale_N",
      "dW is N times too large", ("X.T @ A / len(y)", "X.T @ A"))
wrong("svm_vectorized", "loss summed, gradient averaged", "M8", "loss", "scale_inv_N",
      "The loss is N times too large", ("margins.sum() / len(y)", "margins.sum()"))
wrong("svm_vectorized", "both summed", "M17", "loss, gradient", "scale_", "N times too large",
      ("/ len(y)", ""))
wrong("svm_vectorized", "a row where a column is needed", "M2", "loss, gradient", "broadcast_shape",
      "a row stands where a column is needed", ("[rows, y][:, None]", "[rows, y]"))
wrong("svm_vectorized", "forced into shape", "M2", "gradient", "transpose",
      "right numbers in the wrong places", ("X.T @ A", "(A.T @ X).reshape(W.shape)"))
wrong("svm_vectorized", "mask >= 0 after the clipping", "", "gradient", "hinge_mask_wrong",
      "very class counts as violating", ("(margins > 0)", "(margins >= 0)"),
      ("    A[rows, y] = -A", "    A[rows, y] = 0\n    A[rows, y] = -A"))
wrong("svm_vectorized", "counts down the columns", "M2", "gradient", "sum_axis_wrong",
      "count along each row", ("-A.sum(axis=1)", "-A.sum(axis=0)[y]"))
wrong("svm_vectorized", "correct class never updated", "", "gradient", "missing_correct_class",
      "never updated", ("    A[rows, y] = -A.sum(axis=1)\n", ""))
wrong("svm_vectorized", "margins instead of the mask", "", "gradient", "mask_not_binary",
      "a 0/1 mask belongs", ("(margins > 0).astype(float)", "margins.copy()"))
wrong("svm_vectorized", "counts the correct class", "", "loss, gradient", "",
      "correct class is counted", ("    margins[rows, y] = 0\n", ""))
wrong("svm_vectorized", "squared loss, hinge gradient", "", "loss", "loss_wrong_grad_of_other",
      "is the squared hinge loss", ("margins.sum()", "(margins**2).sum()"))
wrong("svm_vectorized", "np.mean over everything", "", "loss", "scale_C", "C times too small",
      ("margins.sum() / len(y)", "margins.mean()"))
wrong("svm_vectorized", "exchanged", "", "loss, gradient", "wrong_type", "must be",
      ("return margins.sum() / len(y), X.T @ A / len(y)",
       "return X.T @ A / len(y), margins.sum() / len(y)"))
wrong("svm_vectorized", "loss alone", "", "loss, gradient", "wrong_type", "(loss, dW)",
      (", X.T @ A / len(y)", ""))
wrong("svm_vectorized", "delta outside the max", "M1", "loss, gradient", "", "the m",
      ("np.maximum(0, scores - scores[rows, y][:, None] + delta)",
       "np.maximum(0, scores - scores[rows, y][:, None]) + delta"))
wrong("svm_vectorized", "centers X in place", "M14", "loss, gradient", "mutates_input",
      "changes its argument X in place", ("    rows =", "    X -= X.mean(axis=0)\n    rows ="))
wrong("svm_vectorized", "scales X in place at the end", "M14", "loss, gradient", "mutates_input",
      "changes its argument X in place",
      ("    return margins.sum() / len(y), X.T @ A / len(y)",
       "    dW = X.T @ A / len(y)\n    X *= 2\n    return margins.sum() / len(y), dW"))
wrong("svm_vectorized", "delta used up in the gradient", "", "gradient", "ignores_argument",
      "use the argument delta",
      ("A = (margins > 0)", "A = (scores - scores[rows, y][:, None] + 1 > 0)"),
      ("    A[rows, y] = -A", "    A[rows, y] = 0\n    A[rows, y] = -A"))

# --- penalty

wrong("penalty", "one number for every entry", "M6", "gradient", "reg_sum_scalar",
      "the array", ("2 * reg_scale * reg * W", "np.zeros_like(W) + 2 * reg_scale * reg * np.sum(W)"))
wrong("penalty", "a number instead of an array", "M6", "gradient", "wrong_type",
      "it must be a NumPy array", ("reg * W\n", "reg * np.sum(W)\n"))
wrong("penalty", "gradient left out", "M6", "gradient", "reg_missing",
      "The gradient of the penalty is missing", ("2 * reg_scale * reg * W", "np.zeros_like(W)"))
wrong("penalty", "two conventions at once", "M7", "gradient", "reg_factor_2",
      "2 times what it should be", ("2 * reg_scale * reg * W", "2 * reg * W"))
wrong("penalty", "value without the half", "M7", "value", "reg_factor_2",
      "2 times what it should be", ("reg_scale * reg * np.sum(W * W)", "reg * np.sum(W * W)"))
wrong("penalty", "always one half", "M7", "value, gradient", "ignores_argument",
      "use the argument reg_scale", ("reg_scale * reg", "0.5 * reg"))
wrong("penalty", "gradient always reg * W", "M7", "gradient", "ignores_argument",
      "use the argument reg_scale", ("2 * reg_scale * reg * W", "reg * W"))
wrong("penalty", "sum without squares", "M6", "value", "reg_w", "The penalty is another one",
      ("np.sum(W * W)", "np.sum(W)"))
wrong("penalty", "absolute values", "", "value, gradient", "reg_wrong_norm", "enalty",
      ("np.sum(W * W)", "np.sum(np.abs(W))"), ("* reg * W", "* reg * np.sign(W)"))
wrong("penalty", "subtracted", "", "gradient", "reg_sign", "wrong sign",
      ("2 * reg_scale", "-2 * reg_scale"))
wrong("penalty", "squares W in place", "M14", "value, gradient", "mutates_input",
      "changes its argument W in place",
      ("    return", "    half = W.copy()\n    W *= W\n    return"), ("np.sum(W * W)", "np.sum(W)"),
      ("reg * W\n", "reg * half\n"))

# --- sgd

ROWS = "rows = rng.choice(len(X), batch_size)\n"
wrong("sgd", "labels drawn apart", "", "minibatches", "labels_mismatched",
      "the labels belong to other rows", ("y[rows]", "y[rng.choice(len(X), batch_size)]"))
wrong("sgd", "labels of the first rows", "", "minibatches", "labels_mismatched",
      "the labels belong to other rows", ("y[rows]", "y[:batch_size]"))
wrong("sgd", "the whole of X in each step", "M15", "minibatches", "batch_size", "batch_size is",
      (ROWS, "rows = np.arange(len(X))\n"))
wrong("sgd", "drawn once", "", "minibatches", "same_batch", "the same minibatch",
      ("        " + ROWS, ""), ("    losses = []\n", "    losses = []\n    " + ROWS))
wrong("sgd", "the first rows only", "", "minibatches", "rows_missing", "never turn up",
      ("rng.choice(len(X), batch_size)", "rng.choice(2 * batch_size, batch_size)"))
wrong("sgd", "the global generator", "", "minibatches", "rng_ignored", "argument rng",
      ("rng.choice", "np.random.choice"))
wrong("sgd", "a generator of its own", "", "minibatches", "rng_ignored", "argument rng",
      ("    losses = []\n", "    rng = np.random.RandomState(0)\n    losses = []\n"))
wrong("sgd", "in order, the last batch short", "M15", "minibatches", "batch_size", "batch_size is",
      ("for _ in range(num_iters)", "for k in range(num_iters)"),
      (ROWS, "k = k % -(-len(X) // batch_size)\n"
       "        rows = np.arange(len(X))[k * batch_size : (k + 1) * batch_size]\n"))
wrong("sgd", "plus", "", "update", "sign", "goes uphill", ("W = W - learn", "W = W + learn"))
wrong("sgd", "learning rate forgotten", "", "update", "ignores_argument",
      "multiply it by learning_rate", ("learning_rate * dW", "dW"))
wrong("sgd", "divided by the batch again", "M17", "update", "scale_const", "1 / batch_size times",
      ("learning_rate * dW", "learning_rate * dW / batch_size"))
wrong("sgd", "the first gradient forever", "", "update", "stale_gradient",
      "no multiple of the gradient",
      ("        loss, dW = ", "        loss, new = "),
      ("        losses.append(loss)\n",
       "        losses.append(loss)\n        dW = new if len(losses) == 1 else dW\n"))
wrong("sgd", "the last gradient once more", "", "update", "unexplained",
      "no multiple of the gradient",
      ("    losses = []\n", "    losses, old = [], 0\n"),
      ("learning_rate * dW\n", "learning_rate * (0.5 * old + 0.5 * dW)\n        old = dW\n"))
wrong("sgd", "in place", "M14", "update", "mutates_input", "changes its argument W in place",
      ("W = W - learning_rate * dW", "W -= learning_rate * dW"))
wrong("sgd", "the loss never sees the new W", "M10", "update", "no_update", "sees the same W",
      ("    losses = []\n", "    losses, start = [], W\n"), ("loss_function(W,", "loss_function(start,"))
wrong("sgd", "the penalty is not passed on", "", "update", "ignores_argument", "pass it on",
      ("y[rows], reg)", "y[rows], 0.0)"))
wrong("sgd", "one step too few", "", "update", "wrong_steps", "It takes 60 steps",
      ("range(num_iters)", "range(num_iters - 1)"))
wrong("sgd", "returns the first W", "", "update", "last_step_missing", "the one that was given",
      ("    losses = []\n", "    losses, start = [], W\n"), ("return W, losses", "return start, losses"))
wrong("sgd", "returns the W before the last step", "", "update", "last_step_missing",
      "lacks the last step", ("        W = W -", "        before = W\n        W = W -"),
      ("return W,", "return before,"))
wrong("sgd", "the rate decays", "", "update", "scale_const", "changes",
      ("learning_rate * dW\n", "learning_rate * dW\n        learning_rate *= 0.95\n"))
wrong("sgd", "losses after the step", "", "losses", "losses_after_step", "after each step",
      ("losses.append(loss)\n", "pass\n"),
      ("* dW\n", "* dW\n        losses.append(loss_function(W, X[rows], y[rows], reg)[0])\n"))
wrong("sgd", "running mean of the losses", "", "losses", "losses_wrong", "keep each value",
      ("losses.append(loss)", "losses.append(np.mean([*losses, loss]))"))
wrong("sgd", "the last loss alone", "", "losses", "wrong_type", "losses is",
      ("return W, losses", "return W, losses[-1]"))
wrong("sgd", "a loss every tenth step", "", "losses", "wrong_shape", "append one in each step",
      ("losses.append(loss)", "losses += [loss] if _ % 10 == 0 else []"))
wrong("sgd", "returns W alone", "", "update, losses", "wrong_type", "(W, losses)",
      ("return W, losses", "return W"))

# --- search

wrong("search", "rates and strengths in step", "", "all pairs", "pairs_missing",
      "two loops, one in the other",
      source="""
    def grid_search(evaluate, learning_rates, regs):
        accuracies = {(a, b): evaluate(a, b) for a, b in zip(learning_rates, regs)}
        return accuracies, max(accuracies, key=accuracies.get)
""")
wrong("search", "last pair missed", "", "all pairs", "pairs_missing", "never tried",
      source="""
    def grid_search(evaluate, learning_rates, regs):
        pairs = [(a, b) for a in learning_rates for b in regs]
        accuracies = {pair: evaluate(*pair) for pair in pairs[:-1]}
        return accuracies, max(accuracies, key=accuracies.get)
""")
wrong("search", "lowest accuracy", "", "best", "best_is_worst", "lowest",
      ("> accuracies[best]", "< accuracies[best]"))
wrong("search", "the last pair is best", "", "best", "best_wrong", "not the pair",
      ("if best is None or accuracies[learning_rate, reg] > accuracies[best]:", "if True:"))
wrong("search", "better than the one before", "", "best", "best_wrong", "not the pair",
      source="""
    def grid_search(evaluate, learning_rates, regs):
        accuracies, best, last = {}, None, 0.0
        for a in learning_rates:
            for b in regs:
                accuracies[a, b] = evaluate(a, b)
                if accuracies[a, b] > last:
                    best = (a, b)
                last = accuracies[a, b]
        return accuracies, best
""")
wrong("search", "the first pair is never the best", "", "best", "best_wrong", "not the pair",
      ("return accuracies, best", "return accuracies, max(list(accuracies)[1:], key=accuracies.get)"))
wrong("search", "the last pair is never the best", "", "best", "best_wrong", "not the pair",
      ("return accuracies, best", "return accuracies, max(list(accuracies)[:-1], key=accuracies.get)"))
wrong("search", "arguments exchanged", "", "all pairs, best", "", "",
      ("evaluate(learning_rate, reg)", "evaluate(reg, learning_rate)"))
wrong("search", "keys exchanged", "", "all pairs", "pairs_swapped", "keys are (reg, learning_rate)",
      ("return accuracies, best", "return {k[::-1]: v for k, v in accuracies.items()}, best"))
wrong("search", "best exchanged", "", "best", "pairs_swapped", "wrong way round",
      ("return accuracies, best", "return accuracies, best[::-1]"))
wrong("search", "trains the best once more", "", "all pairs", "pairs_repeated", "keep its answer",
      ("    return", "    evaluate(*best)\n    return"))
wrong("search", "the accuracy instead of the pair", "", "best", "wrong_type", "it must be the pair",
      ("return accuracies, best", "return accuracies, accuracies[best]"))
wrong("search", "a list of accuracies", "", "all pairs", "wrong_type", "it must be a dict",
      ("return accuracies, best", "return list(accuracies.values()), best"))
wrong("search", "errors instead of accuracies", "", "all pairs", "accuracies_wrong",
      "evaluate returned",
      ("return accuracies, best", "return {k: 1 - v for k, v in accuracies.items()}, best"))
wrong("search", "empties the list", "M14", "all pairs", "mutates_input",
      "changes its argument regs in place", ("    return", "    regs.clear()\n    return"))

# --- softmax_naive

wrong("softmax_naive", "unshifted", "M4", "large scores", "overflow",
      "Subtract each row's own maximum", ("        scores = scores - scores.max()\n", ""))
wrong("softmax_naive", "shifted by the maximum of all", "M4", "large scores", "overflow",
      "Subtract each row's own maximum", ("scores - scores.max()", "scores - (X @ W).max()"))
wrong("softmax_naive", "the first label for all", "M3", "loss", "loss_wrong_grad_of_other",
      "first example's label", ("scores[y[i]]", "scores[y[0]]"))
wrong("softmax_naive", "exp of the sum", "M5", "loss", "exp_of_sum",
      "sum of the exponentials", ("np.sum(np.exp(scores))", "np.exp(np.sum(scores))"))
wrong("softmax_naive", "sum instead of mean", "M8", "loss", "scale_inv_N",
      "The loss is N times too large", ("loss / len(X)", "loss"))
wrong("softmax_naive", "penalty without the half", "M7", "loss", "reg_factor_2",
      "The penalty is 2 times what it should be", ("0.5 * reg", "reg"))
wrong("softmax_naive", "penalty left out", "M6", "loss", "loss_reg_missing",
      "The penalty is missing", (" + 0.5 * reg * np.sum(W * W)", ""))
wrong("softmax_naive", "penalty subtracted", "", "loss", "reg_sign", "subtracted from the loss",
      ("+ 0.5 * reg", "- 0.5 * reg"))
wrong("softmax_naive", "penalty divided by N", "M17", "loss", "reg_scale_N",
      "The penalty is multiplied or divided by N", ("np.sum(W * W)", "np.sum(W * W) / len(X)"))
wrong("softmax_naive", "penalty without squares", "M6", "loss", "reg_w",
      "The penalty is another one", ("np.sum(W * W)", "np.sum(W)"))
wrong("softmax_naive", "in bits", "", "loss", "scale_const", "np.log2",
      ("np.log(np.sum(np.exp(scores))) - scores[y[i]]",
       "-np.log2(np.exp(scores[y[i]]) / np.exp(scores).sum())"))
wrong("softmax_naive", "without the logarithm", "", "loss", "loss_wrong_grad_of_other",
      "logarithm is missing",
      ("np.log(np.sum(np.exp(scores))) - scores[y[i]]",
       "-np.exp(scores[y[i]]) / np.exp(scores).sum()"))
wrong("softmax_naive", "the largest score", "", "loss", "loss_wrong_grad_of_other",
      "largest probability", ("- scores[y[i]]", "- scores.max()"))
wrong("softmax_naive", "shifted in one place", "M4", "loss, large scores", "", "",
      ("- scores[y[i]]", "- (X[i] @ W)[y[i]]"))
wrong("softmax_naive", "shifts W in place", "M14", "loss", "mutates_input",
      "changes its argument W in place",
      ("    loss = 0.0", "    W -= W.max(axis=1, keepdims=True)\n    loss = 0.0"))

# --- softmax_gradient

wrong("softmax_gradient", "sum instead of mean", "M8", "gradient", "scale_N",
      "dW is N times too large", ("dW / len(X)", "dW"))
wrong("softmax_gradient", "one-hot missing", "", "gradient", "missing_onehot", "never subtracted",
      ("(p[j] - (j == y[i]))", "p[j]"))
wrong("softmax_gradient", "one-hot added", "M5", "gradient", "onehot_sign",
      "added instead of subtracted", ("p[j] - (j", "p[j] + (j"))
wrong("softmax_gradient", "only the correct class", "M5", "gradient", "missing_other_classes",
      "nly the column of the correct class",
      ("        dW[:, j] +=", "        if j == y[i]:\n                    dW[:, j] +="))
wrong("softmax_gradient", "the first label for all", "M3", "gradient", "onehot_indexing",
      "label of the first example", ("j == y[i]", "j == y[0]"))
wrong("softmax_gradient", "i and j exchanged", "M2", "gradient", "wrong_index",
      "X[j] is used where X[i] belongs", ("* X[i]\n", "* X[j]\n"))
wrong("softmax_gradient", "penalty left out", "M6", "gradient", "reg_missing",
      "The gradient of the penalty is missing", (" + reg * W", ""))
wrong("softmax_gradient", "penalty as one number", "M6", "gradient", "reg_sum_scalar",
      "the array", ("reg * W", "reg * np.sum(W)"))
wrong("softmax_gradient", "two conventions at once", "M7", "gradient", "reg_factor_2",
      "2 times what it should be", ("reg * W", "2 * reg * W"))
wrong("softmax_gradient", "penalty divided by N", "M17", "gradient", "reg_scale_N",
      "divided by N", ("dW / len(X) + reg * W", "(dW + reg * W) / len(X)"))
wrong("softmax_gradient", "update after the loop over classes", "", "gradient",
      "single_class_wrong", "stands after it",
      ("            dW[:, j] +=", "            pass\n        dW[:, j] +="))
wrong("softmax_gradient", "unshifted", "M4", "large scores", "overflow",
      "Subtract each row's own maximum", (" - (X[i] @ W).max()", ""))
wrong("softmax_gradient", "transposed", "M2", "gradient, large scores", "", "shape",
      ("return dW / len(X) + reg * W", "return dW.T / len(X) + reg * W.T"))

# --- softmax_vectorized

wrong("softmax_vectorized", "gradient summed, loss averaged", "M8", "gradient", "scale_N",
      "dW is N times too large", ("    P /= N\n", ""))
wrong("softmax_vectorized", "whole columns", "M2", "gradient", "onehot_indexing",
      "subtracts 1 from whole columns", ("P[np.arange(N), y] -= 1", "P[:, y] -= 1"))
wrong("softmax_vectorized", "the first label in the loss", "M3", "loss",
      "loss_wrong_grad_of_other", "first example's label",
      ("P[np.arange(N), y]).mean()", "P[np.arange(N), y[0]]).mean()"))
wrong("softmax_vectorized", "one-hot subtracted before the loss", "M14", "loss, large scores", "",
      "", ("    P /= P.sum(axis=1, keepdims=True)\n",
           "    P /= P.sum(axis=1, keepdims=True)\n    Q = P\n    Q[np.arange(N), y] -= 1\n"),
      ("    P[np.arange(N), y] -= 1\n", ""))
wrong("softmax_vectorized", "loss from raw scores", "M4", "large scores", "overflow",
      "Subtract each row's own maximum",
      ("-np.log(P[np.arange(N), y]).mean()",
       "(np.log(np.exp(X @ W).sum(1)) - (X @ W)[np.arange(N), y]).mean()"))
wrong("softmax_vectorized", "a row where a column is needed", "M2",
      "loss, gradient, large scores", "", "", ("P.max(axis=1, keepdims=True)", "P.max(axis=1)"))
wrong("softmax_vectorized", "normalized over the examples", "M5", "loss, gradient",
      "normalize_axis", "over the examples", ("P.sum(axis=1, keepdims=True)", "P.sum(axis=0)"))
wrong("softmax_vectorized", "extra derivative", "M5", "gradient", "extra_activation_derivative",
      "multiplied by p (1 - p) again", ("    P[np.arange(N), y] -= 1\n",
                                        "    slope = P * (1 - P)\n    P[np.arange(N), y] -= 1\n"
                                        "    P *= slope\n"))
wrong("softmax_vectorized", "penalty gradient subtracted", "", "gradient", "reg_sign",
      "wrong sign", ("+ reg * W", "- reg * W"))
wrong("softmax_vectorized", "0.5 reg in the loss, 2 reg W in the gradient", "M7", "gradient",
      "reg_factor_2", "2 times what it should be", ("+ reg * W", "+ 2 * reg * W"))
wrong("softmax_vectorized", "noise on the scores", "", "loss, gradient, large scores", "", "",
      ("P = X @ W\n", "P = X @ W + np.random.standard_normal((N, W.shape[1]))\n"))
wrong("softmax_vectorized", "weights decay in place", "M14", "loss, gradient", "mutates_input",
      "changes its argument W in place", ("    N = len(y)\n", "    N = len(y)\n    W *= 0.9\n"))
wrong("softmax_vectorized", "binary cross-entropy of each class", "", "loss",
      "loss_wrong_grad_of_other", "binary cross-entropy",
      ("-np.log(P[np.arange(N), y]).mean()",
       "-np.log(np.where(np.eye(W.shape[1])[y] > 0, P, 1 - P)).sum() / N"))

# --- net_forward

wrong("net_forward", "no ReLU", "M13", "hidden", "relu_missing", "The ReLU is missing",
      ('np.maximum(0, X @ params["W1"] + params["b1"])', 'X @ params["W1"] + params["b1"]'))
wrong("net_forward", "no first bias", "", "hidden", "bias_missing", "b1 is missing",
      (' + params["b1"]', ""))
wrong("net_forward", "first bias after the ReLU", "", "hidden", "bias_missing", "after the ReLU",
      (' + params["b1"])', ') + params["b1"]'))
wrong("net_forward", "sigmoid", "", "hidden", "activation_mismatch", "a sigmoid",
      ('np.maximum(0, X @ params["W1"] + params["b1"])',
       '1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))'))
wrong("net_forward", "no second bias", "", "scores", "bias_missing", "b2 is missing",
      (' + params["b2"]', ""))
wrong("net_forward", "ReLU on the scores", "", "scores", "activation_mismatch",
      "scores go through a ReLU", ('hidden @ params["W2"] + params["b2"]',
                                   'np.maximum(0, hidden @ params["W2"] + params["b2"])'))
wrong("net_forward", "scores of the pre-activation", "M13", "scores", "wrong_activation",
      "after its ReLU", ('return hidden, hidden @',
                         'return hidden, (X @ params["W1"] + params["b1"]) @'))
wrong("net_forward", "probabilities", "", "scores", "stops_at_probs", "return the scores",
      ('    return hidden, hidden @ params["W2"] + params["b2"]',
       '    E = np.exp(hidden @ params["W2"] + params["b2"])\n'
       "    return hidden, E / E.sum(axis=1, keepdims=True)"))
wrong("net_forward", "the mask in place of the hidden layer", "M14", "hidden", "relu_mask_wrong",
      "mask of the ReLU",
      ('    return hidden, hidden @ params["W2"] + params["b2"]',
       '    scores = hidden @ params["W2"] + params["b2"]\n    hidden[hidden > 0] = 1\n'
       "    return hidden, scores"))
wrong("net_forward", "exchanged", "", "hidden, scores", "wrong_shape", "has the shape",
      ('return hidden, hidden @ params["W2"] + params["b2"]',
       'return hidden @ params["W2"] + params["b2"], hidden'))
wrong("net_forward", "biases in place", "M14", "scores", "mutates_input",
      "changes its argument params['W2'] in place",
      ('hidden @ params["W2"] + params["b2"]', 'hidden @ params["W2"] + params["b2"]\n'),
      ("return hidden, hidden", "scores = hidden"),
      ('params["b2"]\n', 'params["b2"]\n    params["W2"] *= 2\n    return hidden, scores\n'))

# --- net_backward

MASK = "    dhidden[hidden <= 0] = 0\n"
wrong("net_backward", "mask missing", "M13", "W1, b1", "relu_mask_missing",
      "passes the ReLU unchanged", (MASK, ""))
wrong("net_backward", "mask hidden < 0", "M13", "W1, b1", "relu_mask_missing",
      "passes the ReLU unchanged", ("hidden <= 0", "hidden < 0"))
wrong("net_backward", "mask from the gradient", "M13", "W1, b1", "relu_mask_wrong", "mask",
      ("dhidden[hidden <= 0]", "dhidden[dhidden <= 0]"))
wrong("net_backward", "mask the wrong way round", "M13", "W1, b1", "relu_mask_wrong",
      "wrong way round", ("hidden <= 0", "hidden > 0"))
wrong("net_backward", "multiplied by hidden", "M13", "W1, b1", "relu_mask_wrong",
      "instead of by the mask", (MASK, "    dhidden = dhidden * hidden\n"))
wrong("net_backward", "b1 before the mask", "M13", "b1", "relu_mask_missing",
      "passes the ReLU unchanged", (MASK, "    db1 = dhidden.sum(axis=0)\n" + MASK),
      ('"b1": dhidden.sum(axis=0)', '"b1": db1'))
wrong("net_backward", "b1 summed over the units", "M2", "b1", "bias_axis",
      "sum over the examples", ("dhidden.sum(axis=0)", "dhidden.sum(axis=1)"))
wrong("net_backward", "b1 as one number", "", "b1", "", "b1",
      ("dhidden.sum(axis=0)", "dhidden.sum()"))
wrong("net_backward", "b1 the same everywhere", "", "b1", "bias_axis", "sum over the examples only",
      ("dhidden.sum(axis=0)", 'np.full_like(params["b1"], dhidden.sum())'))
wrong("net_backward", "biases averaged again", "M8", "b1, b2", "scale_inv_N", "N times too small",
      (".sum(axis=0)", ".mean(axis=0)"))
wrong("net_backward", "everything divided by N again", "M8", "W1, b1, W2, b2", "scale_inv_N",
      "N times too small", ("    dhidden = dscores", "    dscores = dscores / len(X)\n    dhidden = dscores"))
wrong("net_backward", "W2 from the pre-activation", "M13", "W2", "wrong_activation",
      "after its activation",
      ("hidden.T @ dscores", '(X @ params["W1"] + params["b1"]).T @ dscores'))
wrong("net_backward", "W1 transposed", "M2", "W1", "transpose", "transposed",
      ('X.T @ dhidden + 2 * reg_scale * reg * params["W1"]',
       '(X.T @ dhidden + 2 * reg_scale * reg * params["W1"]).T'))
wrong("net_backward", "penalty on W1 left out", "M6", "W1", "reg_missing",
      "gradient of the penalty is missing", (' + 2 * reg_scale * reg * params["W1"]', ""))
wrong("net_backward", "two conventions at once", "M7", "W1, W2", "reg_factor_2",
      "2 times what it should be", ("2 * reg_scale * reg", "2 * reg"))
wrong("net_backward", "reg_scale always one half", "M7", "W1, W2", "ignores_argument",
      "use the argument reg_scale", ("2 * reg_scale * reg", "reg"))
wrong("net_backward", "biases penalized", "", "b1, b2", "reg_bias", "leave them out",
      ("dhidden.sum(axis=0)", 'dhidden.sum(axis=0) + 2 * reg_scale * reg * params["b1"]'),
      ("dscores.sum(axis=0)", 'dscores.sum(axis=0) + 2 * reg_scale * reg * params["b2"]'))
wrong("net_backward", "biases exchanged", "", "b1, b2", "swapped_keys", "exchange the two",
      ('"b1":', '"b":'), ('"b2":', '"b1":'), ('"b":', '"b2":'))
wrong("net_backward", "b2 left out", "", "b2", "missing_key", "b2",
      ('        "b2": dscores.sum(axis=0),\n', ""))
wrong("net_backward", "downhill", "", "W1, b1, W2, b2", "sign", "sign is wrong",
      ("    dhidden = dscores", "    dscores, reg = -dscores, -reg\n    dhidden = dscores"))
wrong("net_backward", "biases at zero", "", "b1, b2", "grad_zero", "never filled in",
      ("dhidden.sum(axis=0)", 'np.zeros_like(params["b1"])'),
      ("dscores.sum(axis=0)", 'np.zeros_like(params["b2"])'))
wrong("net_backward", "a list", "", "W1, b1, W2, b2", "wrong_type", "must return a dict",
      ("    return {", "    return list({"), ("    }", "    }.values())"))
wrong("net_backward", "hidden becomes the mask", "M14", "W2", "mutates_input",
      "changes its argument hidden in place",
      ("    return {", '    dW2 = hidden.T @ dscores + 2 * reg_scale * reg * params["W2"]\n'
       "    hidden[hidden > 0] = 1\n    return {"),
      ('hidden.T @ dscores + 2 * reg_scale * reg * params["W2"],', "dW2,"))
wrong("net_backward", "hidden becomes the mask too soon", "M14", "W2", "mutates_input",
      "changes its argument hidden in place", (MASK, MASK + "    hidden[hidden > 0] = 1\n"))
wrong("net_backward", "an extra derivative of a sigmoid", "", "W1, b1", "activation_mismatch",
      "derivative of a sigmoid", (MASK, "    dhidden = dhidden * hidden * (1 - hidden)\n"))

# --- net_training

STEP = "params = {name: params[name] - learning_rate * grads[name] for name in params}"
wrong("net_training", "decay is subtracted", "", "decay", "decay_subtracted",
      "decay is subtracted from the learning rate", ("learning_rate *= decay", "learning_rate -= decay"))
wrong("net_training", "labels drawn apart", "", "minibatches", "labels_mismatched",
      "the labels belong to other rows", ("y[rows]", "y[rng.choice(len(X), batch_size)]"))
wrong("net_training", "the whole of X in each step", "M15", "minibatches", "batch_size",
      "batch_size is", ("X[rows], y[rows]", "X, y"))
wrong("net_training", "plus", "", "update", "sign", "goes uphill",
      ("params[name] - learn", "params[name] + learn"))
wrong("net_training", "learning rate forgotten", "", "update, decay", "", "",
      ("learning_rate * grads[name]", "grads[name]"))
wrong("net_training", "biases not updated", "", "update", "no_update", "never changes",
      (STEP, STEP.replace("for name in params", 'for name in ("W1", "W2")').replace(
          "params = {", 'params = {"b1": params["b1"], "b2": params["b2"], **{') + "}"))
wrong("net_training", "in place", "M14", "update", "mutates_input", "in place",
      (STEP, "for name in params:\n            params[name] -= learning_rate * grads[name]"))
wrong("net_training", "a copy of the dict, the same arrays", "M14", "update", "mutates_input",
      "in place", ("    losses = []\n", "    losses = []\n    params = dict(params)\n"),
      (STEP, "for name in params:\n            params[name] -= learning_rate * grads[name]"))
wrong("net_training", "no decay", "", "decay", "decay_missing", "never decays",
      ("learning_rate *= decay", "pass"))
wrong("net_training", "decay in each step", "", "decay", "decay_each_step", "in each step",
      ("if (step + 1) % epoch == 0:", "if True:"))
wrong("net_training", "decay before the first step", "", "decay", "decay_early",
      "before the first step", ("    losses = []\n", "    losses = []\n    learning_rate *= decay\n"))
wrong("net_training", "decay after the first step", "M15", "decay", "decay_wrong",
      "should have been 0:", ("(step + 1) % epoch", "step % epoch"))
wrong("net_training", "a float for the epoch", "M15", "decay", "decay_wrong", "an integer",
      ("max(len(X) // batch_size, 1)", "max(len(X) / batch_size, 1)"),
      ("(step + 1) % epoch == 0", "int((step + 1) / epoch) > int(step / epoch)"))
wrong("net_training", "an epoch rounded up", "M15", "decay", "decay_wrong", "epoch",
      ("max(len(X) // batch_size, 1)", "-(-len(X) // batch_size)"))
wrong("net_training", "an epoch of 0 steps", "M15", "decay", "raises", "max(N // batch_size, 1)",
      ("max(len(X) // batch_size, 1)", "len(X) // batch_size"))
wrong("net_training", "an epoch of at least two steps", "M15", "decay", "decay_wrong", "an integer",
      ("max(len(X) // batch_size, 1)", "max(len(X) // batch_size, 2)"))
wrong("net_training", "losses after the step", "", "losses", "losses_after_step",
      "after each step", ("losses.append(loss)\n", "pass\n"),
      (STEP + "\n", STEP + "\n        losses.append(loss_function(params, X[rows], y[rows], reg)[0])\n"))
wrong("net_training", "the penalty is not passed on", "", "update", "ignores_argument",
      "pass it on", ("y[rows], reg)", "y[rows], 0)"))
wrong("net_training", "a loss an epoch", "M15", "losses", "wrong_shape", "append one in each step",
      ("        losses.append(loss)\n", ""),
      ("            learning_rate", "            losses.append(loss)\n            learning_rate"))

# --- svm_dx

wrong("svm_dx", "sum instead of mean", "M8", "gradient", "scale_N", "dX is N times too large",
      ("A @ W.T / len(y)", "A @ W.T"))
wrong("svm_dx", "transposed", "M2", "gradient", "transpose", "transposed",
      ("return A @ W.T", "return W @ A.T"))
wrong("svm_dx", "forced into shape", "M2", "gradient", "transpose", "dX",
      ("return A @ W.T / len(y)", "return (W @ A.T).reshape(X.shape) / len(y)"))
wrong("svm_dx", "a transpose missing", "M2", "gradient", "", "raised", ("A @ W.T", "A @ W"))
wrong("svm_dx", "correct class missing", "", "gradient", "missing_correct_class", "correct class",
      ("    A[rows, y] = -A.sum(axis=1)\n", ""))
wrong("svm_dx", "mask without delta", "M1", "gradient", "hinge_mask_wrong", "same margins",
      ("+ delta > 0", "> 0"))
wrong("svm_dx", "delta is always 1", "", "gradient", "ignores_argument", "use the argument delta",
      ("+ delta > 0", "+ 1 > 0"))

# --- softmax_dx

wrong("softmax_dx", "sum instead of mean", "M8", "gradient", "scale_N", "dX is N times too large",
      (" / len(y)", ""))
wrong("softmax_dx", "stops at the scores", "", "gradient", "", "shape", ("P @ W.T", "P"))
wrong("softmax_dx", "one-hot missing", "", "gradient", "missing_onehot", "never subtracted",
      ("    P[np.arange(len(y)), y] -= 1\n", ""))
wrong("softmax_dx", "the diagonal of the Jacobian alone", "M5", "gradient", "",
      "correct class",
      ("    P[np.arange(len(y)), y] -= 1\n", "    T = np.eye(W.shape[1])[y]\n    P = -T * (1 - P)\n"))
wrong("softmax_dx", "extra derivative", "M5", "gradient", "extra_activation_derivative",
      "multiplied by p (1 - p) again",
      ("    P[np.arange(len(y)), y] -= 1\n",
       "    Q = P * (1 - P)\n    P[np.arange(len(y)), y] -= 1\n    P *= Q\n"))
wrong("softmax_dx", "whole columns", "M2", "gradient", "onehot_indexing", "whole columns",
      ("P[np.arange(len(y)), y]", "P[:, y]"))
wrong("softmax_dx", "shifts X in place", "M14", "gradient", "mutates_input",
      "changes its argument X in place", ("    S = X @ W\n", "    X -= X.mean()\n    S = X @ W\n"))

# --- net_dx

wrong("net_dx", "sum instead of mean", "M8", "gradient", "scale_N", "dX is N times too large",
      ("P / len(y) @", "P @"))
wrong("net_dx", "mask missing", "M13", "gradient", "relu_mask_missing",
      "passes the ReLU unchanged", (MASK, ""))
wrong("net_dx", "mask from the gradient", "M13", "gradient", "relu_mask_wrong", "mask",
      ("dhidden[hidden <= 0]", "dhidden[dhidden <= 0]"))
wrong("net_dx", "multiplied by hidden", "M13", "gradient", "relu_mask_wrong",
      "instead of by the mask", (MASK, "    dhidden = dhidden * hidden\n"))
wrong("net_dx", "stops at the hidden layer", "", "gradient", "", "shape",
      ('dhidden @ params["W1"].T', "dhidden"))
wrong("net_dx", "one-hot missing", "", "gradient", "missing_onehot", "never subtracted",
      ("    P[np.arange(len(y)), y] -= 1\n", ""))
wrong("net_dx", "downhill", "", "gradient", "sign", "sign is wrong",
      ("return dhidden", "return -dhidden"))
wrong("net_dx", "the penalty added", "M6", "gradient", "", "dX",
      ('params["W1"].T\n', 'params["W1"].T + 0.1 * X\n'))
wrong("net_dx", "not done", "", "gradient", "not_done", "not done yet",
      source="""
    def net_dx(params, X, y):
        raise NotImplementedError("write your code here")
""")

# --- affine_backward

wrong("affine_backward", "db is a mean", "M8", "db", "scale_inv_N", "db is the mean of dout",
      ("dout.sum(axis=0)", "dout.mean(axis=0)"))
wrong("affine_backward", "db over the units", "", "db", "wrong_shape", "shape",
      ("dout.sum(axis=0)", "dout.sum(axis=1)"))
wrong("affine_backward", "db is one number", "", "db", "unexplained", "sum over the examples only",
      ("dout.sum(axis=0)", "dout.sum() + 0 * b"))
wrong("affine_backward", "db of the first example", "", "db", "example_dropped", "of one example",
      ("dout.sum(axis=0)", "dout[0]"))
wrong("affine_backward", "dw divided by N", "M17", "dw", "scale_inv_N", "dw is a mean",
      ("rows.T @ dout", "rows.T @ dout / len(x)"))
wrong("affine_backward", "dw transposed", "M2", "dw", "wrong_shape", "shape",
      ("rows.T @ dout", "dout.T @ rows"))
wrong("affine_backward", "dw downhill", "", "dw", "sign", "sign", ("rows.T @ dout", "-rows.T @ dout"))
wrong("affine_backward", "dx stays flat", "", "dx", "wrong_shape", "shape",
      ("(dout @ w.T).reshape(x.shape)", "dout @ w.T"))
wrong("affine_backward", "dx downhill", "", "dx", "sign", "sign", ("(dout @ w.T)", "-(dout @ w.T)"))
wrong("affine_backward", "x never flat", "", "dw", "wrong_shape", "shape",
      ("x.reshape(len(x), -1)", "x"))
wrong("affine_backward", "a transpose missing", "M2", "dx, dw, db", "raises", "raised", ("w.T", "w"))
wrong("affine_backward", "changes the input", "M14", "dw", "mutates_input", "changes its argument cache[0]",
      ("    return", "    x *= 2\n    return"))
wrong("affine_backward", "two of three", "", "dx, dw, db", "wrong_type", "three things",
      (", dout.sum(axis=0)", ""))
wrong("affine_backward", "not done", "", "dx, dw, db", "not_done", "not done yet",
      source="""
    def affine_backward(dout, cache):
        raise NotImplementedError
""")

# --- relu_backward

wrong("relu_backward", "mask missing", "M13", "dx", "relu_mask_missing", "passes unchanged",
      (" * (cache > 0)", ""))
wrong("relu_backward", "mask from dout", "M13", "dx", "relu_mask_wrong", "taken from dout",
      ("cache > 0", "dout > 0"))
wrong("relu_backward", "times the output", "M13", "dx", "relu_mask_wrong", "instead of by the mask",
      ("(cache > 0)", "np.maximum(0, cache)"))
wrong("relu_backward", "the mask alone", "M13", "dx", "relu_mask_wrong", "dout is left out",
      ("dout * (cache > 0)", "1.0 * (cache > 0)"))
wrong("relu_backward", "the other way round", "M13", "dx", "relu_mask_wrong", "wrong way round",
      ("cache > 0", "cache < 0"))
wrong("relu_backward", "in place", "M14", "dx", "mutates_input", "changes its argument dout in place",
      ("    return dout * (cache > 0)", "    dout[cache <= 0] = 0\n    return dout"))

# --- sgd_momentum

VELOCITY = 'config["momentum"] * config["velocity"] - config["learning_rate"] * dw'
wrong("sgd_momentum", "gradient added", "", "velocity", "sign", "added to the velocity",
      ('- config["learning_rate"] * dw', '+ config["learning_rate"] * dw'))
wrong("sgd_momentum", "rate missing", "", "velocity", "rate_missing", "rate is missing",
      ('config["learning_rate"] * dw', "dw"))
wrong("sgd_momentum", "a mean of gradients", "", "velocity", "momentum_wrong", "1 - momentum",
      ('config["learning_rate"] * dw', '(1 - config["momentum"]) * config["learning_rate"] * dw'))
wrong("sgd_momentum", "no memory", "", "velocity", "momentum_wrong", "before the step is not used",
      (VELOCITY, '-config["learning_rate"] * dw'))
wrong("sgd_momentum", "no friction", "", "velocity", "momentum_wrong", "not multiplied by momentum",
      ('config["momentum"] * config["velocity"]', 'config["velocity"]'))
wrong("sgd_momentum", "velocity not left", "", "velocity", "momentum_wrong", "before the step",
      (f'config["velocity"] = {VELOCITY}', f"v = {VELOCITY}"), ('w + config["velocity"]', "w + v"))
wrong("sgd_momentum", "velocity subtracted", "", "next_w", "sign", "points downhill already",
      ('w + config["velocity"]', 'w - config["velocity"]'))
wrong("sgd_momentum", "Nesterov", "", "next_w", "momentum_wrong", "Nesterov",
      ('w + config["velocity"]', 'w + config["momentum"] * config["velocity"] - config["learning_rate"] * dw'))
wrong("sgd_momentum", "moves before", "", "next_w", "momentum_wrong", "before the step: update it first",
      ("    config = {", "    old = config['velocity'] if config else np.zeros_like(w)\n    config = {"),
      ('return w + config["velocity"]', "return w + old"))
wrong("sgd_momentum", "no setting is usual", "", "next_w, velocity", "raises", "raised",
      ("(config or {})", "config"))
wrong("sgd_momentum", "the momentum is always 0.9", "", "velocity", "unexplained", "momentum = ",
      ('config["momentum"] *', "0.9 *"))
wrong("sgd_momentum", "w in place", "M14", "next_w", "mutates_input", "changes its argument w in place",
      ('    return w + config["velocity"], config', '    w += config["velocity"]\n    return w, config'))
wrong("sgd_momentum", "returns w alone", "", "next_w, velocity", "wrong_type", "two things",
      (", config\n", "\n"))

# --- adam

MHAT, VHAT = 'config["m"] / (1 - config["beta1"] ** config["t"])', 'config["v"] / (1 - config["beta2"] ** config["t"])'
wrong("adam", "no correction", "", "next_w", "adam_bias", "not divided by 1 - beta**t",
      (MHAT, 'config["m"]'), (VHAT, 'config["v"]'))
wrong("adam", "half a correction", "", "next_w", "adam_bias", "Only m is divided", (VHAT, 'config["v"]'))
wrong("adam", "t too late", "", "next_w", "", "",
      ('    config["t"] = config["t"] + 1\n', ""),
      ("    return w", '    config["t"] = config["t"] + 1\n    return w'))
wrong("adam", "t not raised", "", "t", "adam_time", "before it is used",
      ('    config["t"] = config["t"] + 1\n', "    t = config['t'] + 1\n"), ('** config["t"]', "** t"))
wrong("adam", "uphill", "", "next_w", "sign", "along the gradient", ("return w - ", "return w + "))
wrong("adam", "epsilon inside the root", "", "next_w", "adam_epsilon", "inside the square root",
      ('(np.sqrt(v) + config["epsilon"])', 'np.sqrt(v + config["epsilon"])'))
wrong("adam", "no root", "", "next_w", "adam_root", "square root of v is missing",
      ("np.sqrt(v)", "v"))
wrong("adam", "corrected m is kept", "", "m", "adam_moment", "keep m itself",
      ("    return w", '    config["m"] = m\n    return w'))
wrong("adam", "corrected v is kept", "", "v", "adam_moment", "keep v itself",
      ("    return w", '    config["v"] = v\n    return w'))
wrong("adam", "dw not squared", "", "v", "adam_moment", "not squared",
      ("* dw**2", "* np.abs(dw)"))
wrong("adam", "weight of dw missing", "", "m", "adam_moment", "1 - beta1 before dw is missing",
      ('(1 - config["beta1"]) * dw\n', "dw\n"))
wrong("adam", "betas exchanged", "", "m, v", "adam_moment", "stands in",
      ('config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"])',
       'config["m"] = config["beta2"] * config["m"] + (1 - config["beta2"])'),
      ('config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"])',
       'config["v"] = config["beta1"] * config["v"] + (1 - config["beta1"])'))
wrong("adam", "the state is not kept", "", "m, v, t", "missing_key", "leave it in config",
      ("), config\n", "), {}\n"))
