"""Folders of assignment 1 as students of different years have them, in words of our own.

`write(folder, year)` lays out a solved one; `changes` (file, old, new) spoil it.
"""

from __future__ import annotations

import ast
from textwrap import dedent, indent

from cs231n_helpers.doctor.house_process import read_source

YEARS = ("2016", "2017", "2020", "2021", "2025")

RELICS = {
    "2016": "import matplotlib.pyplot as plt\nfrom random import shuffle\n",
    "2017": "from __future__ import print_function\nfrom past.builtins import xrange\n",
    "2020": "from builtins import range\nfrom six.moves import cPickle\nimport scipy.misc\n",
    "2021": "from builtins import range\nfrom past.builtins import xrange\nimport imageio\n",
    "2025": "from builtins import range\nimport google.colab\n",
}

SVM = """
import numpy as np

def svm_loss_naive(W, X, y, reg):
    dW = np.zeros(W.shape)
    loss = 0.0
    for i in xrange(X.shape[0]):
        scores = X[i].dot(W)
        for j in xrange(W.shape[1]):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / X.shape[0] + HALF reg * np.sum(W * W)
    dW = dW / X.shape[0] + 2 * HALF reg * W
    return loss, dW


def svm_loss_vectorized(W, X, y, reg):
    rows = np.arange(len(y))
    scores = X @ W
    margins = np.maximum(0, scores - scores[rows, y][:, None] + 1)
    margins[rows, y] = 0
    loss = margins.sum() / len(y) + HALF reg * np.sum(W * W)
    active = (margins > 0).astype(float)
    active[rows, y] = -active.sum(axis=1)
    return loss, X.T @ active / len(y) + 2 * HALF reg * W
"""

SOFTMAX = """
import numpy as np

def softmax_loss_naive(W, X, y, reg):
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(len(X)):
        f = X[i] @ W
        f = f - f.max()
        p = np.exp(f) / np.exp(f).sum()
        loss -= np.log(p[y[i]])
        for j in range(W.shape[1]):
            dW[:, j] += (p[j] - (j == y[i])) * X[i]
    return loss / len(X) + HALF reg * np.sum(W**2), dW / len(X) + 2 * HALF reg * W


def softmax_loss_vectorized(W, X, y, reg):
    N = len(X)
    S = X.dot(W)
    S -= S.max(axis=1, keepdims=True)
    P = np.exp(S)
    P /= P.sum(axis=1, keepdims=True)
    loss = -np.log(P[np.arange(N), y]).sum() / N
    loss += HALF reg * np.sum(W * W)
    P[np.arange(N), y] -= 1
    dW = X.T.dot(P) / N
    dW += 2 * HALF reg * W
    return loss, dW
"""

LINEAR = """
import numpy as np
from DOTS.linear_svm import *
from DOTS.softmax import *

class LinearClassifier(object):
    def __init__(self):
        self.W = None

    def train(self, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200,
              verbose=False):
        if self.W is None:
            self.W = 0.001 * np.random.randn(X.shape[1], np.max(y) + 1)
        history = []
        for it in range(num_iters):
            rows = np.random.choice(len(X), batch_size)
            X_batch, y_batch = X[rows], y[rows]
            loss, grad = self.loss(X_batch, y_batch, reg)
            history.append(loss)
            self.W -= learning_rate * grad
            if verbose and it % 100 == 0:
                print('iteration %d: loss %f' % (it, loss))
        return history

    def predict(self, X):
        return np.argmax(X @ self.W, axis=1)

    def loss(self, X_batch, y_batch, reg):
        pass


class LinearSVM(LinearClassifier):
    def loss(self, X_batch, y_batch, reg):
        return svm_loss_vectorized(self.W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    def loss(self, X_batch, y_batch, reg):
        return softmax_loss_vectorized(self.W, X_batch, y_batch, reg)
"""

NEURAL_NET = """
import numpy as np

class TwoLayerNet(object):
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params['W1'] = std * np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = std * np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params['W1'], self.params['b1']
        W2, b2 = self.params['W2'], self.params['b2']
        N, D = X.shape
        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2
        if y is None:
            return scores
        P = np.exp(scores - scores.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        loss = -np.log(P[np.arange(N), y]).mean()
        loss += HALF reg * (np.sum(W1**2) + np.sum(W2**2))
        grads = {}
        dscores = P
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads['W2'] = hidden.T.dot(dscores) + 2 * HALF reg * W2
        grads['b2'] = dscores.sum(axis=0)
        dhidden = dscores.dot(W2.T)
        dhidden[hidden <= 0] = 0
        grads['W1'] = X.T.dot(dhidden) + 2 * HALF reg * W1
        grads['b1'] = dhidden.sum(axis=0)
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        epoch = max(X.shape[0] / batch_size, 1)
        losses, train_acc, val_acc = [], [], []
        for it in range(num_iters):
            rows = np.random.choice(X.shape[0], batch_size)
            X_batch = X[rows]
            y_batch = y[rows]
            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
            losses.append(loss)
            for name in self.params:
                self.params[name] -= learning_rate * grads[name]
            if it % epoch == 0:
                train_acc.append((self.predict(X_batch) == y_batch).mean())
                val_acc.append((self.predict(X_val) == y_val).mean())
                learning_rate *= learning_rate_decay
        return {'loss_history': losses, 'train_acc_history': train_acc, 'val_acc_history': val_acc}

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)
"""

LAYERS = """
import numpy as np

def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def softmax_loss(x, y):
    P = np.exp(x - x.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    loss = -np.log(P[np.arange(len(y)), y]).mean()
    P[np.arange(len(y)), y] -= 1
    return loss, P / len(y)


def batchnorm_forward(x, gamma, beta, bn_param):
    pass
"""

SVM_LAYER = """
def svm_loss(x, y):
    rows = np.arange(len(y))
    margins = np.maximum(0, x - x[rows, y][:, None] + 1)
    margins[rows, y] = 0
    dx = (margins > 0).astype(float)
    dx[rows, y] -= dx.sum(axis=1)
    return margins.sum() / len(y), dx / len(y)
"""

LAYER_UTILS = """
from .layers import *

def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, relu_cache)


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), fc_cache)
"""

FC_NET = """
import numpy as np
from ..layers import *
from ..layer_utils import *
from ..fast_layers import *

class TwoLayerNet(object):
    def __init__(self, input_dim=3072, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0):
        self.params = {}
        self.reg = reg
        self.params['W1'] = weight_scale * np.random.randn(input_dim, hidden_dim)
        self.params['b1'] = np.zeros(hidden_dim)
        self.params['W2'] = weight_scale * np.random.randn(hidden_dim, num_classes)
        self.params['b2'] = np.zeros(num_classes)

    def loss(self, X, y=None):
        hidden, cache1 = affine_relu_forward(X, self.params['W1'], self.params['b1'])
        scores, cache2 = affine_forward(hidden, self.params['W2'], self.params['b2'])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        reg = self.reg
        loss += HALF reg * (np.sum(self.params['W1']**2) + np.sum(self.params['W2']**2))
        grads = {}
        dhidden, grads['W2'], grads['b2'] = affine_backward(dscores, cache2)
        _, grads['W1'], grads['b1'] = affine_relu_backward(dhidden, cache1)
        for name in ('W1', 'W2'):
            grads[name] += 2 * HALF reg * self.params[name]
        return loss, grads
"""

FULLY_CONNECTED = """
class FullyConnectedNet(object):
    def __init__(self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, dropout_keep_ratio=1,
                 normalization=None, reg=0.0, weight_scale=1e-2, dtype=np.float32, seed=None):
        self.reg, self.dtype, self.num_layers, self.params = reg, dtype, 1 + len(hidden_dims), {}
        sizes = [input_dim, *hidden_dims, num_classes]
        for k in range(self.num_layers):
            W = weight_scale * np.random.randn(sizes[k], sizes[k + 1])
            self.params['W%d' % (k + 1)] = W.astype(dtype)
            self.params['b%d' % (k + 1)] = np.zeros(sizes[k + 1], dtype=dtype)

    def loss(self, X, y=None):
        out, caches = X.astype(self.dtype), []
        for k in range(1, self.num_layers):
            out, cache = affine_relu_forward(out, self.params['W%d' % k], self.params['b%d' % k])
            caches.append(cache)
        L = str(self.num_layers)
        scores, cache = affine_forward(out, self.params['W' + L], self.params['b' + L])
        if y is None:
            return scores
        loss, dout = softmax_loss(scores, y)
        grads, reg = {}, self.reg
        dout, grads['W' + L], grads['b' + L] = affine_backward(dout, cache)
        for k in range(self.num_layers - 1, 0, -1):
            dout, grads['W%d' % k], grads['b%d' % k] = affine_relu_backward(dout, caches.pop())
        for k in range(1, self.num_layers + 1):
            W = self.params['W%d' % k]
            loss += HALF self.reg * np.sum(W * W)
            grads['W%d' % k] = grads['W%d' % k] + 2 * HALF reg * W
        return loss, grads
"""

KNN = """
import numpy as np

class KNearestNeighbor(object):
    def train(self, X, y):
        self.X_train, self.y_train = X, y

    def compute_distances_two_loops(self, X):
        dists = np.zeros((len(X), len(self.X_train)))
        for i in range(len(X)):
            for j in range(len(self.X_train)):
                dists[i, j] = np.sqrt(np.sum((X[i] - self.X_train[j]) ** 2))
        return dists

    def compute_distances_one_loop(self, X):
        return np.array([np.linalg.norm(self.X_train - x, axis=1) for x in X])

    def compute_distances_no_loops(self, X):
        squares = (X**2).sum(1)[:, None] + (self.X_train**2).sum(1) - 2 * X @ self.X_train.T
        return np.sqrt(squares)

    def predict_labels(self, dists, k=1):
        y_pred = np.zeros(len(dists))
        for i in range(len(dists)):
            closest = self.y_train[np.argsort(dists[i])[:k]]
            y_pred[i] = np.bincount(closest).argmax()
        return y_pred
"""

OPTIM = """
import numpy as np

def sgd(w, dw, config=None):
    return w - config['learning_rate'] * dw, config


def sgd_momentum(w, dw, config=None):
    config = config or {}
    config.setdefault('learning_rate', 1e-2)
    config.setdefault('momentum', 0.9)
    v = config.get('velocity', np.zeros_like(w))
    v = config['momentum'] * v - config['learning_rate'] * dw
    config['velocity'] = v
    return w + v, config


def rmsprop(w, dw, config=None):
    config = {'decay_rate': 0.99, 'epsilon': 1e-8, 'cache': np.zeros_like(w), **(config or {})}
    config['cache'] = config['decay_rate'] * config['cache'] + (1 - config['decay_rate']) * dw**2
    return w - config['learning_rate'] * dw / (np.sqrt(config['cache']) + config['epsilon']), config


def adam(w, dw, config=None):
    config = {'beta1': 0.9, 'beta2': 0.999, 'epsilon': 1e-8, 'm': 0, 'v': 0, 't': 0, **config}
    config['t'] += 1
    config['m'] = config['beta1'] * config['m'] + (1 - config['beta1']) * dw
    config['v'] = config['beta2'] * config['v'] + (1 - config['beta2']) * dw * dw
    m = config['m'] / (1 - config['beta1'] ** config['t'])
    v = config['v'] / (1 - config['beta2'] ** config['t'])
    return w - config['learning_rate'] * m / (np.sqrt(v) + config['epsilon']), config
"""

STARTERS = {
    "svm_loss_naive": """
        dW, loss = np.zeros(W.shape), 0.0
        for i in range(len(X)):
            scores = X[i].dot(W)
            for j in range(W.shape[1]):
                if j != y[i]:
                    loss += max(0, scores[j] - scores[y[i]] + 1)
        return loss / len(X) + HALF reg * np.sum(W * W), dW
        """,
    "svm_loss_vectorized": "return 0.0, np.zeros(W.shape)",
    "softmax_loss_naive": "return 0.0, np.zeros_like(W)",
    "softmax_loss_vectorized": "raise NotImplementedError",
    "LinearClassifier.train": """
        history = []
        for it in range(num_iters):
            X_batch = y_batch = None
            loss, grad = self.loss(X_batch, y_batch, reg)
            history.append(loss)
        return history
        """,
    "LinearClassifier.predict": "return np.zeros(X.shape[0])",
    "fc_net.TwoLayerNet.__init__": "self.params = {}; self.reg = reg",
    "fc_net.TwoLayerNet.loss": "return (0, {}) if y is not None else None",
    "neural_net.TwoLayerNet.loss": "return (None, {}) if y is not None else None",
    "TwoLayerNet.train": """
        for it in range(num_iters):
            X_batch, y_batch = None, None
            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
        return {}
        """,
    "TwoLayerNet.predict": "return None",
    "FullyConnectedNet.__init__": "self.params, self.reg, self.dtype = {}, reg, dtype",
    "FullyConnectedNet.loss": "return (0.0, {}) if y is not None else None",
    "affine_forward": "return None, (x, w, b)",
    "affine_backward": "return None, None, None",
    "relu_forward": "return None, x",
    "relu_backward": "pass",
    "svm_loss": "pass",
    "softmax_loss": "return 0.0, None",
    "compute_distances_two_loops": "return np.zeros((len(X), len(self.X_train)))",
    "compute_distances_one_loop": "return np.zeros((len(X), len(self.X_train)))",
    "compute_distances_no_loops": "return np.zeros((len(X), len(self.X_train)))",
    "predict_labels": "return np.zeros(len(dists))",
    "sgd_momentum": "return None, config",
    "rmsprop": "return None, config",
    "adam": "return None, config",
}


def write(folder, year, *changes, other_half=False):
    """Write a solved assignment of a year; each change is (file, old, new), once in the file."""
    is_old, is_new = year < "2021", year >= "2025"
    relics = RELICS[year]
    linear = LINEAR.replace("DOTS", "cs231n.classifiers" if is_old else "..classifiers")
    files = {
        "__init__.py": "",
        "classifiers/__init__.py": "from cs231n.classifiers.linear_classifier import *\n",
        "classifiers/k_nearest_neighbor.py": KNN,
        "classifiers/softmax.py": SOFTMAX,
        "classifiers/linear_classifier.py": linear,
    }
    if is_old:
        files["classifiers/neural_net.py"] = NEURAL_NET
    else:
        files["layers.py"] = LAYERS + SVM_LAYER * (not is_new)
        files["layer_utils.py"] = LAYER_UTILS
        files["classifiers/fc_net.py"] = FC_NET + FULLY_CONNECTED * is_new
    if is_new:
        files["optim.py"] = OPTIM
        start, end = linear.index("class LinearSVM"), linear.index("class Softmax")
        linear = (linear[:start] + linear[end:]).replace(
            "from ..classifiers.linear_svm import *\n", ""
        )
        files["classifiers/linear_classifier.py"] = linear
    else:
        files["classifiers/linear_svm.py"] = SVM
    root = folder / "assignment1"
    for name, text in files.items():
        halved = (year == "2016" or ("net" in name and not is_old)) != other_half
        text = text.replace("2 * HALF reg", "reg" if halved else "2 * reg")
        text = text.replace("HALF ", "0.5 * " if halved else "")
        if year == "2016":
            text = text.replace("print('iteration %d: loss %f' % (it, loss))", "print 'loss', loss")
        text = relics + text if text and "__init__" not in name else text
        for file, old, new in changes:
            if name.endswith(f"/{file}") or name == file:
                assert text.count(old) == 1, (file, old)
                text = text.replace(old, new)
        path = root / "cs231n" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def untouched(folder, year):
    """Write the assignment as it is handed out: only what the students write is left to do."""
    root = write(folder, year)
    for path in root.rglob("*.py"):
        lines = path.read_text("utf-8").split("\n")
        for name, node in reversed(list(_functions(ast.parse(read_source(path))))):
            keys = (f"{path.stem}.{name}", name, name.split(".")[-1])
            starter = next((STARTERS[key] for key in keys if key in STARTERS), None)
            if starter is not None:
                starter = dedent(starter.replace("HALF ", "0.5 * ")).strip()
                lines[node.body[0].lineno - 1 : node.end_lineno] = [
                    indent(starter, " " * node.body[0].col_offset)
                ]
        path.write_text("\n".join(lines), "utf-8")
    return root


def _functions(tree):
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        for inner in node.body if isinstance(node, ast.ClassDef) else []:
            yield f"{node.name}.{inner.name}", inner
