"""The names of all mistakes and cautions, for graders and tests: a text may change, a code not."""

from enum import StrEnum


class Code(StrEnum):
    """What a `Finding` is about; equal to its text, so that ``code == "scale_N"`` works.

    >>> Code.SCALE_N
    'scale_N'
    """

    # the gradient by the scores
    MISSING_ONEHOT = "missing_onehot"
    ONEHOT_SIGN = "onehot_sign"
    ONEHOT_INDEXING = "onehot_indexing"
    MISSING_PROBS = "missing_probs"
    MISSING_OTHER_CLASSES = "missing_other_classes"
    MISSING_CORRECT_CLASS = "missing_correct_class"
    CORRECT_CLASS_SIGN = "correct_class_sign"
    CORRECT_CLASS_COUNT = "correct_class_count"
    HINGE_MASK_WRONG = "hinge_mask_wrong"
    MASK_NOT_BINARY = "mask_not_binary"
    SUM_AXIS_WRONG = "sum_axis_wrong"
    NORMALIZE_AXIS = "normalise_axis"
    STOPS_AT_PROBS = "stops_at_probs"
    SOFTMAX_JACOBIAN_DIAGONAL = "softmax_jacobian_diagonal"
    NORMALIZATION_TERM = "normalization_term"
    EXTRA_ACTIVATION_DERIVATIVE = "extra_activation_derivative"
    # a layer and its activation
    ACTIVATION_DERIVATIVE_MISSING = "activation_derivative_missing"
    ACTIVATION_DERIVATIVE_INPUT = "activation_derivative_input"
    ACTIVATION_MISMATCH = "activation_mismatch"
    DOUBLE_ACTIVATION = "double_activation"
    WRONG_ACTIVATION = "wrong_activation"
    RELU_MASK_MISSING = "relu_mask_missing"
    RELU_MASK_WRONG = "relu_mask_wrong"
    MISSING_INPUT_FACTOR = "missing_input_factor"
    WRONG_INDEX = "wrong_index"
    EXAMPLE_DROPPED = "example_dropped"
    BIAS_AXIS = "bias_axis"
    BIAS_FROM_DW = "bias_from_dW"
    BIAS_ROW_WRONG = "bias_row_wrong"
    # a factor, a place, an order
    SIGN = "sign"
    SCALE_N = "scale_N"
    SCALE_INV_N = "scale_inv_N"
    SCALE_C = "scale_C"
    SCALE_HALF = "scale_half"
    SCALE_CONST = "scale_const"
    ENTRY_WRONG = "entry_wrong"
    LAST_ROW_WRONG = "last_row_wrong"
    SINGLE_CLASS_WRONG = "single_class_wrong"
    UNROLL_ORDER = "unroll_order"
    FLATTEN_ORDER = "flatten_order"
    PAD_SHIFT = "pad_shift"
    OVERWRITTEN = "overwritten"
    TRANSPOSE = "transpose"
    SWAPPED_KEYS = "swapped_keys"
    # the penalty
    REG_MISSING = "reg_missing"
    REG_SIGN = "reg_sign"
    REG_FACTOR_2 = "reg_factor_2"
    REG_SCALE_N = "reg_scale_N"
    REG_BIAS = "reg_bias"
    REG_SLICE_WRONG = "reg_slice_wrong"
    REG_SUM_SCALAR = "reg_sum_scalar"
    REG_WRONG_MATRIX = "reg_wrong_matrix"
    REG_WRONG_NORM = "reg_wrong_norm"
    REG_NOT_SQUARED = "reg_not_squared"
    LOSS_REG_MISSING = "loss_reg_missing"
    # the loss
    LOSS_WRONG_GRAD_OF_OTHER = "loss_wrong_grad_of_other"
    LOSS_OFFSET = "loss_offset"
    LOSS_VALUE = "loss_value"
    MAX_SHIFT_INCONSISTENT = "max_shift_inconsistent"
    OVERFLOW = "overflow"
    NAN_LOSS = "nan_loss"
    NOT_A_LOSS = "not_a_loss"
    # the form of the gradient, and what the function does
    NOT_WRITTEN = "not_written"
    ARGUMENT = "argument"
    MISSING_KEY = "missing_key"
    SHAPE_2D = "shape_2d"
    BROADCAST_SHAPE = "broadcast_shape"
    MASKED_GRADIENT = "masked_gradient"
    INT_TRUNCATION = "int_truncation"
    GRAD_ZERO = "grad_zero"
    DATA_MISSING = "data_missing"
    IGNORES_ARGUMENT = "ignores_argument"
    MUTATES_INPUT = "mutates_input"
    NONDETERMINISTIC = "nondeterministic"
    UNEXPLAINED = "unexplained"
    # cautions
    KINK = "kink"
    FLOAT32 = "float32"
    INTEGER_PARAMS = "integer_params"
    ZERO_WEIGHTS = "zero_weights"
    EQUAL_SIZES = "equal_sizes"
    SMALL_PENALTY = "small_penalty"
    EPS_IN_LOG = "eps_in_log"

    def __repr__(self) -> str:
        return repr(self.value)
