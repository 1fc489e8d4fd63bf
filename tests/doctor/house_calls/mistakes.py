"""What goes wrong in calls that people make: a right function with texts exchanged.

An entry names the code that must stand first (or one of its equals), words that the report must
say, and words it must never say. `FALLS_SHORT` lists what is not yet as it should be, and why.
"""

# ruff: noqa: E501
from __future__ import annotations

import numpy as np

from cs231n_helpers import check_gradient
from house_calls import normal, reported, wrong
from house_calls import right_losses as losses
from house_calls import right_nets as nets
from house_calls import right_ways as ways

FALLS_SHORT: dict[str, list[str]] = {
    "not yet a known mistake": [
        "mask of the dropout",
        "diagonal of a layer norm",
        "diagonal of the attention",
    ],
}
SHAPES = ("shape", "broadcast", "keepdims")
OWN_DATA = (r"\b0\.3\b", r"(?<![\d.])(11|5|7|13) times")

# fmt: off

# ---- 1: one example at a time

wrong("single example", "softmax column, slope again", nets.tanh_column_into_softmax,
      ("ds = q - t", "ds = (q - t) * q * (1 - q)"),
      codes="extra_activation_derivative", never=SHAPES)
wrong("single example", "tanh column, no slope", nets.tanh_column_into_softmax,
      (" * (1 - h * h)", ""), codes="activation_derivative_missing", never=SHAPES)
wrong("single example", "three columns, no hidden slopes", nets.three_columns_in_a_loop,
      (" @ delta * a[layer - 1] * (1 - a[layer - 1])", " @ delta"),
      codes="activation_derivative_missing", never=SHAPES)
wrong("single example", "quadratic column, no outer slope", nets.quadratic_cost_of_a_column,
      ("delta = (a2 - t) * a2 * (1 - a2)", "delta = a2 - t"),
      codes="activation_derivative_missing", never=SHAPES)
wrong("single example", "vectors, no ReLU mask", nets.vectors_without_axes,
      (" * (h > 0)", ""), codes="relu_mask_missing", never=SHAPES)
wrong("single example", "vectors, label never subtracted", nets.vector_into_softmax,
      ("    d[label] -= 1\n", ""), codes="missing_onehot", never=SHAPES)
wrong("single example", "leaky row, plain ReLU's slope", nets.row_through_a_leaky_relu,
      ("* np.where(z > 0, 1, 0.1)", "* (z > 0)"),
      codes="relu_mask_wrong wrong_activation activation_mismatch", never=SHAPES)
wrong("single example", "image without its label", losses.softmax_of_one_image,
      (" - np.eye(len(s))[label]", ""), codes="missing_onehot", never=SHAPES)
wrong("single example", "neuron, sign", ways.one_neuron, ("d = (a - t)", "d = (t - a)"),
      codes="sign", never=SHAPES)
wrong("single example", "row with vector biases, biases twice",
      ways.row_whose_biases_are_vectors, ('"b2": d.ravel()', '"b2": 2 * d.ravel()'),
      codes="scale_const", says="b2", never=SHAPES)

# ---- 2: figures of small data that are nobody's

wrong("own figures", "mean over features", losses.smoothed_labels,
      ("(np.exp(L) - Q) / len(y)", "(np.exp(L) - Q) / len(W)"), says="N / D", never=OWN_DATA)
wrong("own figures", "mean over features of columns", nets.columns_with_a_penalty_over_m,
      ("dZ2 = A2 - Y", "dZ2 = (A2 - Y) * m / len(X)"), says="N / D", never=OWN_DATA)
wrong("own figures", "penalty of an object forgotten", ways.CallableModel,
      (" + 2 * self.reg * W", ""), codes="reg_missing", never=(r"\d\.\d+ \* (self\.)?reg", "0.667"))
wrong("own figures", "penalty of an object halved", ways.TakesItsWeights,
      ("self.reg * self.W", "0.5 * self.reg * self.W"), codes="reg_factor_2", never=OWN_DATA)
wrong("own figures", "divided by the width of the Huber loss", losses.pseudo_huber,
      ("(r / root) / len(t)", "(r / root) / len(t) / delta"), codes="scale_const", says=r"1\.25")
wrong("own figures", "temperature forgotten", losses.taught_by_another_net,
      ("temperature * X.T", "X.T"), codes="scale_const", says=r"0\.333")

# ---- 3: penalties

wrong("penalty", "length with the slope of a square", losses.penalty_is_a_length,
      ("strength * w / np.linalg.norm(w)", "2 * strength * w"), says="norm",
      never="reg_factor_2")
wrong("penalty", "squared sum of absolute values", losses.softmax_with_l1,
      ("np.abs(W).sum(),", "np.abs(W).sum() ** 2,"), codes="reg_wrong_norm reg_not_squared",
      says=r"square|\*\*2", never=r"sum\(W\*\*2\)")
wrong("penalty", "focal loss, plain slope", losses.focal, ("slope = ", "slope = -1 / q + 0 * "),
      never=("penalty", "regular", r"\breg\b"))
wrong("penalty", "intercept is penalized", losses.logistic_that_spares_the_intercept,
      ("+ lam * rest) / m", "+ lam * theta) / m"), codes="reg_bias")
wrong("penalty", "a row of W1 lands on b1", nets.layers_with_caches,
      ('"b1": db1', '"b1": db1 + reg * p["W1"][0]'), says="b1")
wrong("penalty", "absolute values with a square's slope", reported.logistic_with_a_penalty,
      ("strength * np.sign(w)", "strength * w"), codes="reg_wrong_norm")
wrong("penalty", "one length for all groups", losses.grouped_rows,
      ("strength * W / length\n", "strength * W / np.linalg.norm(W)\n"), never=r"sum\(W\*\*2\)")

# ---- 4: eps inside the log

wrong("eps in log", "columns, 1e-6", losses.softmax_of_columns,
      ("np.log(A)", "np.log(A + 1e-6)"), verdict="correct", says="1e-0?6", never="another loss")
wrong("eps in log", "a column, 1e-4", losses.softmax_of_one_column,
      ("np.log(a)", "np.log(a + 1e-4)"), verdict="correct", says="1e-0?4|0.0001")
wrong("eps in log", "sigmoid columns, 1e-5", nets.planar_classifier,
      ("np.log(A2)", "np.log(A2 + 1e-5)"), ("np.log(1 - A2)", "np.log(1 - A2 + 1e-5)"),
      verdict="correct", says="1e-0?5", never="another loss")
wrong("eps in log", "unshifted, 1e-9", losses.scores_alone,
      ("S - S.max(axis=1, keepdims=True)", "S"), ("np.log(P[", "np.log(1e-9 + P["),
      codes="overflow", says="1e-0?9", never="another loss")
wrong("eps in log", "1e-6, and a sum for a mean", losses.softmax_of_columns,
      ("np.log(A)", "np.log(A + 1e-6)"), ("(A - Y) @ X.T / m", "(A - Y) @ X.T"), codes="scale_N")
wrong("eps in log", "1e-3 in a column", nets.tanh_column_into_softmax,
      ("np.log(np.sum(q * t))", "np.log(np.sum(q * t) + 1e-3)"), verdict="correct",
      says="1e-0?3|0.001", never="another loss")

# ---- 5: a forward pass that both share is wrong

wrong("whole matrix", "a net", nets.layers_with_caches,
      ("log_softmax(s, axis=1)", "s - s.max() - np.log(np.exp(s - s.max()).sum())"),
      codes="normalize_axis")
wrong("whole matrix", "columns", losses.softmax_of_columns,
      ("Z.max(axis=0)", "Z.max()"), ("A.sum(axis=0)", "A.sum()"), codes="normalize_axis")
wrong("whole matrix", "log-sum-exp of everything", losses.softmax_by_einsum,
      ("logsumexp(S, axis=1, keepdims=True)", "logsumexp(S)"), codes="normalize_axis")
wrong("whole matrix", "over the examples", losses.softmax_by_einsum,
      ("axis=1, keepdims=True", "axis=0"), codes="normalize_axis")
wrong("whole matrix", "correct class counted in both", losses.hinge_with_columns_of_ones,
      ("    margins[range(len(y)), y] = 0\n", ""),
      ("mask[range(len(y)), y] = -mask", "mask[range(len(y)), y] -= mask"),
      codes="loss_offset", says="correct class")
wrong("whole matrix", "scores clipped on the way", nets.layers_with_caches,
      ("L = log_softmax(s,", "s = np.maximum(0, s)\n    L = log_softmax(s,"),
      codes="activation_mismatch")

# ---- 6: degenerate agreement

wrong("degenerate", "nothing violates the margin", losses.hinge_with_columns_of_ones,
      ("X.T @ mask", "-X.T @ mask"), codes="sign", never="right elsewhere",
      call=(40 * np.eye(6)[:, :4], 5.0 * np.eye(6)[:4].repeat(3, axis=0), np.arange(12) // 3, 0.0))
wrong("degenerate", "scattered errors", nets.gelu,
      ('"W1": X.T @ dz', '"W1": X.T @ dz * (np.arange(30).reshape(6, 5) * 7 % 4 > 0)'),
      says=("W1", "scattered"), never="right elsewhere")
wrong("degenerate", "one class only", losses.softmax_of_columns,
      ("(A - Y) @ X.T", "(A - Y.any(axis=1, keepdims=True)) @ X.T"), codes="onehot_indexing",
      verdict="wrong inconclusive", never="cannot tell",
      call=(losses.W.T, losses.X.T, np.eye(4)[:, np.zeros(14, int)], 0.1))
wrong("degenerate", "one entry", nets.function_of_one_number, ('"b2": e}', '"b2": 3 * e}'),
      codes="scale_const", says="b2", never=("row", "column", "entry"))

# ---- 7: the cause stands in the arguments

L, X, W, y, Y = losses, losses.X, losses.W, losses.y, losses.Y
wrong("arguments", "labels as a column", L.weighted_classes,
      call=(W, X, y[:, None], np.ones(4)), verdict="wrong raises", says=(r"\(14, 1\)", "ravel"), never="softmax")
wrong("arguments", "labels as a row", L.hinge_with_columns_of_ones,
      call=(W, X, y[None, :], 0.1), verdict="wrong raises", says=(r"\(1, 14\)", "ravel"))
wrong("arguments", "one-hot for labels", L.softmax_of_rows_of_weights,
      call=(W.T, X, Y.astype(int), 0.1), verdict="wrong raises", says="argmax")
wrong("arguments", "labels are floats", L.softmax_at_a_temperature,
      call=(W, X, y.astype(float), 2.0), verdict="wrong raises", says=("float", r"astype\(int\)"))
wrong("arguments", "labels from 1", L.hinge_with_columns_of_ones,
      call=(W, X, y + 1, 0.1), verdict="wrong raises", says="y - 1")
wrong("arguments", "labels as a list", L.squared_hinge_of_margins,
      call=(W, X, y.tolist(), 0.1), verdict="wrong raises", says=("list", r"np\.(as)?array\(y\)"))
wrong("arguments", "bytes wrap around", L.hinge_example_by_example,
      ("dW += np.outer(X[i], over)", "dW += np.outer(X[i], over * (over > 0))\n        "
       "dW[:, y[i]] += -X[i] * (over > 0).sum()"), verdict="wrong raises", says=("uint8", r"astype\(float\)"),
      call=(W / 99, np.arange(14 * 6, dtype=np.uint8).reshape(14, 6) * 5 % 251, y, 0.1))
wrong("arguments", "weights transposed", L.softmax_example_by_example,
      call=(np.ascontiguousarray(W.T), X, y, 0.1), verdict="wrong raises", says=("W", "transpose"))
wrong("arguments", "images for weights", L.hinge_with_columns_of_ones,
      call=(X, W, y, 0.1), verdict="wrong raises", says="exchange|swap|order")
wrong("arguments", "gradient is None", L.softmax_example_by_example,
      ("grad / n + reg * W", "None"), verdict="wrong raises", says="None")

# ---- 8: not a loss, or not yet

wrong("not a loss", "counts mistakes", L.logistic_that_spares_the_intercept,
      ("return J,", "return np.mean((h > 0.5) != y),"), says=("count", "slope"))
wrong("not a loss", "accuracy", L.weighted_examples,
      ("    P[np.arange", "    loss = (P.argmax(1) == y).mean()\n    P[np.arange"),
      says=("accuracy|count", "slope"))
wrong("not a loss", "output of the net", nets.function_of_one_number,
      ("return e**2 / 2,", "return e + t,"), says=("output", r"squared error|\*\*2"))
wrong("not a loss", "one loss for each example", L.softmax_at_a_temperature,
      (".mean(),", ","), verdict="wrong raises",
      says=("each example", "mean"))
wrong("not a loss", "sum over classes alone", L.several_labels_with_rare_ones,
      (".sum(1).mean(),", ".sum(1),"), verdict="wrong raises",
      says=("each example", "mean"))
wrong("starter", "zeros", L.smoothed_labels,
      ("    k = W", "    return 0.0, np.zeros_like(W)\n    k = W"), says="not written")
wrong("starter", "None", nets.layers_with_caches,
      ("    def forward", "    return None, {}\n\n    def forward"), says="not written")
wrong("starter", "pass", L.ridge, ("    r = X", "    return\n    r = X"), says="not written")
wrong("starter", "raises", nets.gelu,
      ("    z = X", '    raise NotImplementedError("your code here")\n    z = X'),
      verdict="wrong raises", says="not written")
wrong("starter", "loss alone", L.softmax_with_l1,
      ("    data = -L", "    G = np.zeros(W.shape)\n    return -L[range(len(y)), y].mean(), G\n    data = -L"),
      says="gradient is 0", never="not written")

# ---- 9: words that fit

wrong("words", "nearly no loss left", L.logistic_that_spares_the_intercept, verdict="correct",
      call=(np.r_[-1.0, 4, 4, 4, 4, 4, 4], np.c_[np.ones(8), np.sign(normal(8, 1)) + np.zeros((8, 6))],
            (normal(8, 1)[:, 0] > 0) * 1.0, 0.0), never=("kink", "float32"))
wrong("words", "b1 from a wrong dW1", nets.columns_with_a_penalty_over_m,
      ('"W2": (dZ2', '"W2": 3 * (dZ2'), ('"b2": dZ2.sum(1, keepdims=True) / m',
      '"b2": 3 * (dZ2 @ A1.T + lambd * p["W2"])[:, :1] / m'), says="W2")
wrong("words", "batch norm without its mean", nets.batch_norm_of_its_input,
      (" - g.sum(axis=0)", ""), never=("scores", "softmax"))
wrong("words", "convolution with a lost factor", nets.convolution_in_loops,
      ("+= dout[n, f, i, j] * w[f]", "+= w[f]"), says="x", never=("scores", "softmax"))
wrong("words", "named, so not inconclusive", L.hinge_with_columns_of_ones,
      ("2 * reg * W", "reg * W"), codes="reg_factor_2", call=(W, X, y, 1e-9), verdict="wrong inconclusive", never="cannot tell")
wrong("words", "part of a recommender", L.ratings, ('"items": E.T', '"items": E.T * 0.9'),
      says="items", never="scores")

# ---- 10: more mistakes to know by name

wrong("new mistakes", "1 + h**2", nets.planar_classifier, ("(1 - np.power", "(1 + np.power"),
      says=r"1 \+ ")
wrong("new mistakes", "1 + h**2 for one example", nets.tanh_column_into_softmax,
      ("(1 - h * h)", "(1 + h * h)"), says=r"1 \+ ")
wrong("new mistakes", "margins[:, y] = 0", L.hinge_with_columns_of_ones,
      ("margins[range(len(y)), y] = 0", "margins[:, y] = 0"), says=r"\[:, y\]")
wrong("new mistakes", "mask[:, y]", L.hinge_with_columns_of_ones,
      ("mask[range(len(y)), y] = -mask.sum(axis=1)", "mask[:, y] = -mask.sum(axis=1)[:, None]"),
      says=r"\[:, y\]")
wrong("new mistakes", "label before", L.softmax_example_by_example, ("(j == k)", "(j == k - 1)"),
      codes="onehot_indexing", says="shift")
wrong("new mistakes", "label after", nets.layers_with_caches,
      ("np.eye(s.shape[1])[y]", "np.roll(np.eye(s.shape[1]), 1, axis=1)[y]"),
      codes="onehot_indexing", says="shift")
wrong("new mistakes", "mask of the dropout", nets.dropout_with_its_mask,
      (".T * mask * (h > 0)", ".T * (h > 0)"), says=("mask", "dropout"))
wrong("new mistakes", "diagonal of a layer norm", nets.layer_norm,
      ("inv * (up - up.mean(-1, keepdims=True) - c * inv**2 * (up * c).mean(-1, keepdims=True))",
       "inv * up"), says="diagonal|mean")
wrong("new mistakes", "diagonal of the attention", nets.one_head_of_attention,
      ("A * (dA - (A * dA).sum(axis=1, keepdims=True))", "A * (1 - A) * dA"), says="diagonal")
wrong("new mistakes", "pad forgotten", nets.convolution_in_loops,
      ("dpad[:, :, 1:-1, 1:-1]", "dpad[:, :, :-2, :-2]"), says="pad|shift")
wrong("new mistakes", "windows overwrite", nets.convolution_in_loops,
      ("j : j + 3] += dout", "j : j + 3] = dout"), says=r"\+=")
wrong("new mistakes", "words overwrite", nets.embedding_with_repeated_words,
      ("np.add.at(dE, words, (d @ p[\"V\"].T).reshape(*words.shape, -1))",
       "dE[words] += (d @ p[\"V\"].T).reshape(*words.shape, -1)"), says=r"np\.add\.at|\+=")
wrong("new mistakes", "noise overwrites", nets.skip_gram_with_negative_samples,
      ("dU[k] += ", "dU[k] = "), says=r"\+=")
wrong("new mistakes", "letters overwrite", nets.character_rnn,
      ('g["Wxh"][:, [inputs[i]]] += draw', 'g["Wxh"][:, [inputs[i]]] = draw'), says=r"\+=")
wrong("new mistakes", "time stands still", nets.character_rnn, (" + dnext)", ")"),
      says="recurrent|next step")
wrong("new mistakes", "cell forgets the future", nets.lstm_of_one_sequence,
      ('p["Wh"] @ da, dc * f', 'p["Wh"] @ da, 0.0'), says="recurrent|next step")

# ---- new ways to call

wrong("new ways", "net without a penalty in W1", ways.TwoLayers,
      ('X.T @ dh + self.reg * p["W1"]', "X.T @ dh"), codes="reg_missing", says="W1",
      never=r"\d\.\d+ \* ")
wrong("new ways", "deep net without slopes", ways.DeepNet, (" * (1 - a[i - 1] ** 2)", ""),
      codes="activation_derivative_missing")
wrong("new ways", "read in place, half as large", ways.Regressor,
      ('"w": 2 * self.X.T @ r / len(r), "b": 2 * r.mean()',
       '"w": self.X.T @ r / len(r), "b": r.mean()'), codes="scale_half")
wrong("new ways", "net read in place, without its mask", ways.TwoLayers, (" * (h > 0)", ""),
      codes="relu_mask_missing", ask=ways.read_in_place)


wrong("misuse", "what the loss returned", ways.TwoLayers, verdict="raises", says="lambda|net, X, y",
      ask=lambda net: check_gradient(net().loss(ways.X, ways.y), net().params))
wrong("misuse", "loss and parameters exchanged", L.ridge, verdict="raises",
      says=r"check_gradient\(", ask=lambda ridge, w, *others: check_gradient(w, ridge, *others))
wrong("misuse", "data for parameters", L.ridge, verdict="raises wrong",
      says=r"check_gradient\(", ask=lambda ridge, w, X, *others: check_gradient(ridge, X, w, *others))

# ---- layers

wrong("check_layer", "layer: images keep their flat shape", ways.dense_of_images,
      (".reshape(x.shape)\n", "\n"), says=("x", r"\(3, 8\)", r"\(3, 2, 4\)"))
wrong("check_layer", "layer: dw without its input", ways.dense_of_images,
      ("x.reshape(len(x), -1).T @ dout", "w * dout.sum(axis=0)"), says="w", never="scores")
wrong("check_layer", "layer: order of the gradients", ways.dense_of_images,
      ("return dx, x.reshape(len(x), -1).T @ dout,", "return x.reshape(len(x), -1).T @ dout, dx,"),
      says="order|exchange|each other", verdict="wrong raises")
wrong("check_layer", "layer: no mask", ways.relu_layer, ("dout * (x > 0)", "dout"), says="x",
      codes="relu_mask_missing")
wrong("check_layer", "layer: diagonal of a batch norm", ways.batch_norm_layer,
      ("(dout - dout.mean(axis=0) - hat * (dout * hat).mean(axis=0))", "dout"),
      says=("x", "diagonal|mean"), never="scores")
wrong("check_layer", "layer: mask of the dropout", ways.dropout_layer,
      ("return dout * mask", "return dout"), says="mask")
wrong("check_layer", "layer: pad forgotten", ways.convolution_layer,
      ("dpad[:, :, 1:-1, 1:-1]", "dpad[:, :, 2:, 2:]"), says=("x", "pad|shift"), never="scores")
wrong("check_layer", "layer: windows overwrite", ways.convolution_layer,
      ("dpad[:, :, i : i + 3, j : j + 3] += ", "dpad[:, :, i : i + 3, j : j + 3] = "),
      says=("x", r"\+="), never="scores")
wrong("check_layer", "layer: every entry of the window", ways.pooling_layer,
      ("(x[here] == out[:, :, i, j, None, None]) * ", ""), says="x", never="scores")
wrong("check_layer", "layer: db of the wrong axis", ways.convolution_layer,
      ("axis=(0, 2, 3))", "axis=(2, 3))[0]"), says="b", never="scores")
