r"""What the course's notebooks import, under the course's names: swap ``cs231n`` for this package.

``sed -i 's/cs231n\./cs231n_helpers.course./' NOTEBOOK`` does so for every year. The modules are
the course's; years differ, and what holds is decided by where a name comes from:

============================  =====================================================================
name                          convention
============================  =====================================================================
linear classifiers            penalty reg * sum(W**2), as since 2017; after ``use_year(2016)`` half
neural_net.TwoLayerNet        the net of 2016 to 2020: trains itself, penalty as above
fc_net.TwoLayerNet            the net since 2021: reg in the constructor, penalty 0.5 * reg * ...,
                              trained by a `Solver`; so is `FullyConnectedNet`
all of them, and `Solver`     draw from NumPy's global state, so ``np.random.seed`` decides
============================  =====================================================================

kNN and image features have no gradient and are not here: importing them says so.
"""

from .conventions import use_year

__all__ = ["use_year"]
