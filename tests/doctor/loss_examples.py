"""Losses and data that the tests of the gradient checker share."""

import numpy as np

from cs231n_helpers import TwoLayerNet


def data(N=23, D=6, C=4, seed=0, scale=0.5):
    rng = np.random.RandomState(seed)
    W, X = scale * rng.standard_normal((D, C)), rng.standard_normal((N, D))
    return W, X, rng.randint(0, C, N)


def softmax(S):
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def changed(loss, change):
    """The same loss with its gradient changed."""

    def wrong(*args, **kwargs):
        value, gradient = loss(*args, **kwargs)
        return value, change(gradient)

    return wrong


def net_loss(params, X, y, reg):
    net = TwoLayerNet(X.shape[1], len(params["b1"]), len(params["b2"]))
    net.params = params
    return net.loss(X, y, reg)


def net_data(N=23, D=6, H=8, C=4, seed=0):
    rng = np.random.RandomState(seed)
    net = TwoLayerNet(D, H, C, std=0.5, rng=rng)
    return net.params, rng.standard_normal((N, D)), rng.randint(0, C, N)
