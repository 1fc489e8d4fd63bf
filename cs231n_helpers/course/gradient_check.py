"""The course's gradient checks, see `cs231n_helpers.gradient_check`."""

from ..gradient_check import eval_numerical_gradient as eval_numerical_gradient
from ..gradient_check import eval_numerical_gradient_array as eval_numerical_gradient_array
from ..gradient_check import grad_check_sparse as grad_check_sparse
from ..gradient_check import rel_error as rel_error
