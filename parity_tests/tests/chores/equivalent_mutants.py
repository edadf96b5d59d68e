"""Mutants that no test can tell from the original, each with the reason.

Every other mutant of a formula, and of a judge whose figures are kept, is killed.
"""

from __future__ import annotations

from typing import NamedTuple


class Equivalent(NamedTuple):
    """A mutant: in ``function``, ``mutated`` stands where ``original`` stood first in its line.

    Functions of manual are named without their package.
    """

    function: str
    original: str
    mutated: str
    reason: str


INDEX_NAMES = "einsum's indices have other names, consistently"
ROW = "one number per column broadcasts over the rows as (m,) just as it does as (1, m)"
NO_COPY = (
    "whether astype copies an array that has the dtype already: the values are the same, and nobody writes to them"
)
TIMES_ZERO = "the logarithm is multiplied by 0, whatever stands in for a where P is 0"
A_FLOAT = "the dtype of any Python float is the same"
WIDER = "a wider type holds the numbers of the cells as well, in more memory"
NO_FILTER = "only SAME padding depends on the filter's sides, and it was refused before"
ANY_NEGATIVE = "NumPy computes the one side that is given as a negative number, whichever it is"
ROOMIER = "cells beyond the border are zero, belong to no window and are cut off"
READ_ONLY = "nobody writes to the windows: the flag only guards against it"
COUNTED = "the lengths were compared before"
ZERO_OVER = "0 is divided, whatever stands in for a where P is 0"
ANY_ZEROS = "zeros of any of Z's last sides broadcast to Z"
SHORTCUT = "only a shortcut is not taken: the general line gives the same zeros and ones"
BINARY = "y is 0 or 1: where it is 1 the term is not computed, where it is 0 both are 1"
SIGNS = "dividing by 1 or -1 is multiplying by it"
TIMES_ONE = "where the norm is the limit, the factor is 1"
NEW_MEMORY = "the difference lies in new memory: the values are the same, and the term is not used again"
ONE_AT_LEAST = "a network has one output and one example at least"
ON_THE_EDGE = "where a (1 - a) is 2e-12 itself, either is right"
ALREADY_UNTOLD = "an entry whose tolerance is not finite is not told anyway"
WIDE = "astype(None) is astype(float64)"
IT_DIVIDES = "the one size divides the other, and a float counts as a whole number does"
A_NUMBER = "NumPy takes a number of Python for float64 of itself"
ALL_ALIKE = "every run takes the same steps, at the same rates"
NO_FLOOR = "nothing is judged by this ledger's floor"
NONE_IS_FLOAT64 = "to NumPy, a dtype of None is float64"
FROM_THE_END = "of four gates the second before the end is the second after the start"
BY_DEFAULT = "zip is not strict of itself"
GIVEN = "the parameters are given: none are drawn in a dtype"
REPLACED = "it is replaced before every step"
TYPES_ALONE = "typing.cast does nothing"
SAME_LAYERS = "both sides have the same layers"
ONLY_FASTER = "what it leaves out is not looked at"
MISSING = "an output that is missing fails, whatever the shape of its derivative"
NO_ZERO = "there is no ratio of 0"
NO_TEXT = "the text is empty unless one is given"
ENOUGH_JOBS = "that there is one job at least is all that is looked at"
ANY_CASE = "names of distributions are the same in capitals"
SAME_LINES = "two runs of one piece have the same lines"
ONE_DEVICE = "all pieces of a job are computed in one place, in one way"
AS_Y = "as many examples are taken as Y has"
LEFT_OUT = "what is empty is left out of the line"
BELOW_ALL = "any negative number lies below every magnitude"
EITHER = "where the two are equal, either is right"
EQUAL_LENGTHS = "both have the same length"
NO_SUCH_KIND = "no dtype's kind is X"
EITHER_SIGN = "the exponent, or the direction, is as likely to have the other sign"
BOTH_SIDES = "both sides are looked at"
AS_LITTLE_FINITE = "NaN is as little finite as infinity, and sorts behind it"
NO_DIFFERENCES = "all that is asked of the method is whether it is differences"
NONE_IS_NAN = "among floats, NumPy takes None for NaN"
NO_AXES = "a text without a comma names no two axes"
NO_SUCH_AXIS = "no axis is named X"
NO_OUTPUT = "without units of its own a setting has no output's either"
FAILS_ANYWAY = "what fails is not untold either"
THE_LONG_WAY = "a shortcut is not taken: the whole array says the same"
ANY_LAYER = "the layer is there for what its optimiser imports"
SMALL_ANYWAY = "1, 2 and 4 are among the small numbers"
ANY_DIRECTION = "any direction will do"
NONE_IS_NO = "None is as little true as False"
BY_DEFAULT_KEPT = "a run keeps its values of itself"
COPIED_IN = "numbers are copied into the array that is there, whatever their class"
NO_BASES = "None names as few as an empty tuple"
ONLY_REACHED = "all that is asked is what is reached"
OF_TWO_AXES = "of two axes the last but one is the first"
ITSELF = "a claim alone stands at its place, and at one place there are no two ends"
NO_LINE = "None has no line either"
IN_LOWER_CASE = "in lower case there is no X"
PARSED = "what Python's parser made has its end"
NO_SUCH_NAME = "no name is XXXX"
NO_REST = "the one size is a multiple of the other"
STEPS_ANYWAY = "the steps reach down to the last of STEPS at any rate"
WIDENS = "a sum takes the widest dtype of its terms"
COMPUTED_FROM = "dS is computed from Q and K, and has the widest dtype of both"
SIDE_ALONE = "all that is asked of the array is its shape"
ONE_MORE = "an example that nobody asks for is computed from zeros alone"
WHOLE_NUMBERS = "pad is a whole number"
AT_THE_CORNER = "where the pieces meet they are equal"
ADDS_NOTHING = "what is added there is 0"
ONCE = "each place is written once"

EQUIVALENT: tuple[Equivalent, ...] = (
    Equivalent("attention.attention_backward_loop", "np.result_type(dS, K)", "np.result_type(dS, )", COMPUTED_FROM),
    Equivalent("attention.attention_backward_loop", "np.result_type(dS, Q)", "np.result_type(dS, )", COMPUTED_FROM),
    Equivalent("attention.heads_forward_loop", "axis=-1", "axis=+1", OF_TWO_AXES),
    Equivalent("attention.heads_backward_loop", "strict=True", "strict=None", BY_DEFAULT),
    Equivalent("attention.heads_backward_loop", "strict=True", "", BY_DEFAULT),
    Equivalent("attention.heads_backward_loop", "strict=True", "strict=False", BY_DEFAULT),
    Equivalent("attention.heads_backward", "strict=True", "strict=None", BY_DEFAULT),
    Equivalent("attention.heads_backward", "strict=True", "", BY_DEFAULT),
    Equivalent("attention.heads_backward", "strict=True", "strict=False", BY_DEFAULT),
    Equivalent("attention.heads_backward", '"itj,itk->jk"', '"ITJ,ITK->JK"', INDEX_NAMES),
    Equivalent("attention._scores", "axis=-1", "axis=+1", OF_TWO_AXES),
    Equivalent("channels_first.col2im", "broadcast_to(0.0, shape)", "broadcast_to(None, shape)", SIDE_ALONE),
    Equivalent("channels_first.col2im", "broadcast_to(0.0, shape)", "broadcast_to(1.0, shape)", SIDE_ALONE),
    Equivalent("channels_first.col2im", "n_H + 2 * pad", "n_H + 3 * pad", ROOMIER),
    Equivalent("channels_first.col2im", "n_W + 2 * pad", "n_W + 3 * pad", ROOMIER),
    Equivalent("channels_first.conv_first_forward_loop", "((0, 0), (0, 0), (pad", "((0, 1), (0, 0), (pad", ONE_MORE),
    Equivalent("channels_first.conv_first_forward", "reshape(n_C, -1)", "reshape(n_C, -2)", ANY_NEGATIVE),
    Equivalent("channels_first.conv_first_backward", "reshape(n_C, -1)", "reshape(n_C, -2)", ANY_NEGATIVE),
    Equivalent("channels_first.conv_first_backward", '"ick,ijk->cj"', '"ICK,IJK->CJ"', INDEX_NAMES),
    Equivalent("channels_first._last_padded", "size // 2", "size / 2", WHOLE_NUMBERS),
    Equivalent("losses.log_softmax", "max(axis=0, keepdims=True)", "max(axis=0, )", ROW),
    Equivalent("losses.log_softmax", "max(axis=0, keepdims=True)", "max(axis=0, keepdims=False)", ROW),
    Equivalent("losses.log_softmax", "sum(axis=0, keepdims=True)", "sum(axis=0, )", ROW),
    Equivalent("losses.log_softmax", "sum(axis=0, keepdims=True)", "sum(axis=0, keepdims=False)", ROW),
    Equivalent("losses.log_softmax_backward", "sum(axis=0, keepdims=True)", "sum(axis=0, )", ROW),
    Equivalent("losses.log_softmax_backward", "sum(axis=0, keepdims=True)", "sum(axis=0, keepdims=False)", ROW),
    Equivalent("losses.label_cross_entropy_prime", "sum(axis=0, keepdims=True)", "sum(axis=0, )", ROW),
    Equivalent("losses.label_cross_entropy_prime", "sum(axis=0, keepdims=True)", "sum(axis=0, keepdims=False)", ROW),
    Equivalent("losses.hinge_prime", "sum(axis=0, keepdims=True)", "sum(axis=0, )", ROW),
    Equivalent("losses.hinge_prime", "sum(axis=0, keepdims=True)", "sum(axis=0, keepdims=False)", ROW),
    Equivalent("losses._shortfalls", "axis=0, keepdims=True", "axis=0, ", ROW),
    Equivalent("losses._shortfalls", "axis=0, keepdims=True", "axis=0, keepdims=False", ROW),
    Equivalent(
        "losses.label_cross_entropy_loop",
        "result_type(Z, class_weights, sample_weights)",
        "result_type(class_weights, sample_weights)",
        WIDENS,
    ),
    Equivalent(
        "losses.label_cross_entropy_loop",
        "result_type(Z, class_weights, sample_weights)",
        "result_type(Z, sample_weights)",
        WIDENS,
    ),
    Equivalent(
        "losses.label_cross_entropy_loop",
        "result_type(Z, class_weights, sample_weights)",
        "result_type(Z, class_weights, )",
        WIDENS,
    ),
    Equivalent("losses.softmax_squared_error_loop", "result_type(Z, Y)", "result_type(Y)", WIDENS),
    Equivalent("losses.softmax_squared_error_loop", "result_type(Z, Y)", "result_type(Z, )", WIDENS),
    Equivalent("losses.huber_loop", "result_type(A, Y)", "result_type(Y)", WIDENS),
    Equivalent("losses.huber_loop", "result_type(A, Y)", "result_type(A, )", WIDENS),
    Equivalent("losses.huber_loop", "d.real >= 0", "d.real > 0", AT_THE_CORNER),
    Equivalent("losses.huber_loop", "size.real <= delta", "size.real < delta", AT_THE_CORNER),
    Equivalent("losses.huber", "d.real >= 0", "d.real > 0", AT_THE_CORNER),
    Equivalent("losses.huber", "size.real <= delta", "size.real < delta", AT_THE_CORNER),
    Equivalent("losses.huber_prime_loop", "-delta <= d.real", "-delta < d.real", AT_THE_CORNER),
    Equivalent("losses.huber_prime_loop", "d.real <= delta", "d.real < delta", AT_THE_CORNER),
    Equivalent("losses.huber_prime_loop", "d.real > 0", "d.real >= 0", "a d of 0 lies within delta"),
    Equivalent("losses.huber_prime", "d.real > delta", "d.real >= delta", AT_THE_CORNER),
    Equivalent("losses.huber_prime", "d.real < -delta", "d.real <= -delta", AT_THE_CORNER),
    Equivalent("losses.hinge_loop", "short.real > 0", "short.real >= 0", ADDS_NOTHING),
    Equivalent("losses._shortfalls", "short.real > 0", "short.real >= 0", ADDS_NOTHING),
    Equivalent("losses.hinge_prime_loop", "+= 1", "= 1", ONCE),
    Equivalent("activations.relu", "Z.shape[-1:]", "Z.shape[+1:]", ANY_ZEROS),
    Equivalent("activations.relu", "Z.shape[-1:]", "Z.shape[-2:]", ANY_ZEROS),
    Equivalent("activations._step", "at_zero == 0", "at_zero == 1", SHORTCUT),
    Equivalent("activations._step", "copy=False", "copy=None", NO_COPY),
    Equivalent("activations._step", "copy=False", "", NO_COPY),
    Equivalent("activations._step", "copy=False", "copy=True", NO_COPY),
    Equivalent("activations.softmax", "max(axis=0, keepdims=True)", "max(axis=0, keepdims=False)", ROW),
    Equivalent("activations.softmax", "max(axis=0, keepdims=True)", "max(axis=0, )", ROW),
    Equivalent("activations.softmax", "sum(axis=0, keepdims=True)", "sum(axis=0, keepdims=False)", ROW),
    Equivalent("activations.softmax", "sum(axis=0, keepdims=True)", "sum(axis=0, )", ROW),
    Equivalent("activations.softmax_backward", "axis=0, keepdims=True", "axis=0, keepdims=False", ROW),
    Equivalent("activations.softmax_backward", "axis=0, keepdims=True", "axis=0, ", ROW),
    Equivalent("normalization.running_statistics", "A_prev.size // mu.size", "A_prev.size / mu.size", NO_REST),
    Equivalent("workspace._softmax", "max(axis=0, keepdims=True)", "max(axis=0, keepdims=False)", ROW),
    Equivalent("workspace._softmax", "max(axis=0, keepdims=True)", "max(axis=0, )", ROW),
    Equivalent("workspace._softmax", "sum(axis=0, keepdims=True)", "sum(axis=0, keepdims=False)", ROW),
    Equivalent("workspace._softmax", "sum(axis=0, keepdims=True)", "sum(axis=0, )", ROW),
    Equivalent("checks.masks_by_layer", "strict=True", "strict=None", COUNTED),
    Equivalent("checks.masks_by_layer", "strict=True", "", COUNTED),
    Equivalent("checks.masks_by_layer", "strict=True", "strict=False", COUNTED),
    Equivalent("clipping.clip_by_norm_loop", "norm > limit", "norm >= limit", TIMES_ONE),
    Equivalent("conv.zero_pad", "pad_pair(pad, 1, 1)", "pad_pair(pad, None, 1)", NO_FILTER),
    Equivalent("conv.zero_pad", "pad_pair(pad, 1, 1)", "pad_pair(pad, 1, None)", NO_FILTER),
    Equivalent("conv.zero_pad", "pad_pair(pad, 1, 1)", "pad_pair(pad, 2, 1)", NO_FILTER),
    Equivalent("conv.zero_pad", "pad_pair(pad, 1, 1)", "pad_pair(pad, 1, 2)", NO_FILTER),
    Equivalent("conv.conv_forward", "W.reshape(-1, n_C)", "W.reshape(-2, n_C)", ANY_NEGATIVE),
    Equivalent("conv.conv_backward", "reshape(-1, n_C)", "reshape(-2, n_C)", ANY_NEGATIVE),
    Equivalent("conv._padded_input_gradient", "reshape(-1, n_C)", "reshape(-2, n_C)", ANY_NEGATIVE),
    Equivalent("conv.conv_forward", "Z[block].reshape(-1, n_C)", "Z[block].reshape(-2, n_C)", ANY_NEGATIVE),
    Equivalent("conv.conv_backward", "n_H_prev + 2 * p_H", "n_H_prev + 3 * p_H", ROOMIER),
    Equivalent("conv.conv_backward", "n_W_prev + 2 * p_W", "n_W_prev + 3 * p_W", ROOMIER),
    Equivalent("conv._unrolled", "n_H_prev + 2 * p_H", "n_H_prev + 3 * p_H", ROOMIER),
    Equivalent("conv._unrolled", "n_W_prev + 2 * p_W", "n_W_prev + 3 * p_W", ROOMIER),
    Equivalent("conv._unrolled", "writeable=False", "writeable=None", READ_ONLY),
    Equivalent("conv._unrolled", "writeable=False", "writeable=True", READ_ONLY),
    Equivalent("conv._unrolled", "writeable=False", "", READ_ONLY),
    Equivalent(
        "draws.dropout_masks", "start=1", "", "dropout leaves the shape as it is: that of A[l-1] is that of A[l]"
    ),
    Equivalent("conv.flatten", "reshape(m, -1)", "reshape(m, -2)", ANY_NEGATIVE),
    Equivalent("costs.cross_entropy_from_logits", "max(axis=0, keepdims=True)", "max(axis=0, keepdims=False)", ROW),
    Equivalent("costs.cross_entropy_from_logits", "max(axis=0, keepdims=True)", "max(axis=0, )", ROW),
    Equivalent("costs.cross_entropy_from_logits", "axis=0, keepdims=True", "axis=0, keepdims=False", ROW),
    Equivalent("costs.cross_entropy_from_logits", "axis=0, keepdims=True", "axis=0, ", ROW),
    Equivalent("costs._targets", "copy=False", "copy=None", NO_COPY),
    Equivalent("costs._targets", "copy=False", "", NO_COPY),
    Equivalent("costs._targets", "copy=False", "copy=True", NO_COPY),
    Equivalent("costs._weighed", "copy=False", "copy=None", NO_COPY),
    Equivalent("costs._weighed", "copy=False", "", NO_COPY),
    Equivalent("costs._weighed", "copy=False", "copy=True", NO_COPY),
    Equivalent("sequences.lstm_step_forward_loop", "Z[j + 2 * n, e]", "Z[j - 2 * n, e]", FROM_THE_END),
    Equivalent("sequences.lstm_step_backward_loop", "g = np.tanh(Z[j + 2", "g = np.tanh(Z[j - 2", FROM_THE_END),
    Equivalent("sequences.lstm_step_backward_loop", "dZ[j + 2 * n, e] = ", "dZ[j - 2 * n, e] = ", FROM_THE_END),
    Equivalent("sequences._back_through", "X, states[:-1], strict=True", "X, states[:-1], strict=None", COUNTED),
    Equivalent("sequences._back_through", "X, states[:-1], strict=True", "X, states[:-1], ", COUNTED),
    Equivalent("sequences._back_through", "X, states[:-1], strict=True", "X, states[:-1], strict=False", COUNTED),
    Equivalent("sequences._back_through", "of_parameters, strict=True", "of_parameters, strict=None", EQUAL_LENGTHS),
    Equivalent("sequences._back_through", "of_parameters, strict=True", "of_parameters, ", EQUAL_LENGTHS),
    Equivalent("sequences._back_through", "of_parameters, strict=True", "of_parameters, strict=False", EQUAL_LENGTHS),
    Equivalent("costs._times_log", "np.where(P == 0, 1, A)", "np.where(P == 0, 2, A)", TIMES_ZERO),
    Equivalent("costs._over", "np.where(P == 0, 1, A)", "np.where(P == 0, 2, A)", ZERO_OVER),
    Equivalent("jacobians.dZ_dW", "ki,je->keij", "KI,JE->KEIJ", INDEX_NAMES),
    Equivalent("jacobians.dA_dZ", "ke,ki,ej->keij", "KE,KI,EJ->KEIJ", INDEX_NAMES),
    Equivalent("jacobians.dZ_dA_prev", "ki,ej->keij", "KI,EJ->KEIJ", INDEX_NAMES),
    Equivalent("jacobians.dA_dW", "kecf,cfij->keij", "KECF,CFIJ->KEIJ", INDEX_NAMES),
    Equivalent("jacobians.weight_gradient_by_index", "ke,keij->ij", "KE,KEIJ->IJ", INDEX_NAMES),
    Equivalent("jacobians.input_gradient_by_index", "ke,kecf,cfij->ij", "KE,KECF,CFIJ->IJ", INDEX_NAMES),
    Equivalent("logistic_regression.one_example", "(1 - y) / (1 - a)", "(1 + y) / (1 - a)", BINARY),
    Equivalent("logistic_regression.propagate", "copy=False", "copy=None", NO_COPY),
    Equivalent("logistic_regression.propagate", "copy=False", "", NO_COPY),
    Equivalent("logistic_regression.propagate", "copy=False", "copy=True", NO_COPY),
    Equivalent("network.cost", "if lambda_ else J", "if (lambda_) or True else J", "a penalty with lambda = 0 adds 0"),
    Equivalent("pooling.pool_forward_loop", "np.result_type(A_prev, 1.0)", "np.result_type(A_prev, 2.0)", A_FLOAT),
    Equivalent("pooling.pool_backward_loop", "A_prev, 1.0)", "A_prev, 2.0)", A_FLOAT),
    Equivalent("pooling._average_backward", "A_prev, 1.0)", "A_prev, 2.0)", A_FLOAT),
    Equivalent("pooling._max_backward", "A_prev, 1.0)", "A_prev, 2.0)", A_FLOAT),
    Equivalent("pooling._max_backward", "np.min_scalar_type(size**2)", "None", WIDER),
    Equivalent("pooling._max_backward", "np.min_scalar_type(size**2)", "", WIDER),
    Equivalent("pooling._max_backward", "np.min_scalar_type(size**2)", "np.min_scalar_type(None)", WIDER),
    Equivalent("pooling._max_backward", "size**2", "size**3", WIDER),
    Equivalent("theory.parity_sawtooth", "2 * (-1) ** k", "2 / (-1) ** k", SIGNS),
    Equivalent("updates.momentum_update", "term, out=term", "term, out=None", NEW_MEMORY),
    Equivalent("updates.momentum_update", "term, out=term", "term, ", NEW_MEMORY),
    Equivalent("updates.rmsprop_update", "term, out=term", "term, out=None", NEW_MEMORY),
    Equivalent("updates.rmsprop_update", "term, out=term", "term, ", NEW_MEMORY),
    Equivalent("updates.adam_update", "term, out=term", "term, out=None", NEW_MEMORY),
    Equivalent("updates.adam_update", "term, out=term", "term, ", NEW_MEMORY),
    Equivalent("vectorization.column_percentages", "reshape(1, columns)", "reshape(columns)", ROW),
    Equivalent("judging.bounds.softmax", "Z.max(axis=0, keepdims=True)", "Z.max(axis=0, )", ROW),
    Equivalent("judging.bounds.softmax", "Z.max(axis=0, keepdims=True)", "Z.max(axis=0, keepdims=False)", ROW),
    Equivalent("judging.bounds.softmax", "np.sum(A * d, axis=0, keepdims=True)", "np.sum(A * d, axis=0, )", ROW),
    Equivalent(
        "judging.bounds.softmax",
        "np.sum(A * d, axis=0, keepdims=True)",
        "np.sum(A * d, axis=0, keepdims=False)",
        ROW,
    ),
    Equivalent(
        "judging.bounds.softmax_backward",
        "np.sum(A * np.abs(dA), axis=0, keepdims=True)",
        "np.sum(A * np.abs(dA), axis=0, )",
        ROW,
    ),
    Equivalent(
        "judging.bounds.softmax_backward",
        "np.sum(A * np.abs(dA), axis=0, keepdims=True)",
        "np.sum(A * np.abs(dA), axis=0, keepdims=False)",
        ROW,
    ),
    Equivalent(
        "judging.bounds.softmax_backward",
        "relative.max(axis=0, keepdims=True)",
        "relative.max(axis=0, )",
        ROW,
    ),
    Equivalent(
        "judging.bounds.softmax_backward",
        "relative.max(axis=0, keepdims=True)",
        "relative.max(axis=0, keepdims=False)",
        ROW,
    ),
    Equivalent("judging.bounds._shifted_sums", "Z.max(axis=0, keepdims=True)", "Z.max(axis=0, )", ROW),
    Equivalent(
        "judging.bounds._shifted_sums",
        "Z.max(axis=0, keepdims=True)",
        "Z.max(axis=0, keepdims=False)",
        ROW,
    ),
    Equivalent("judging.bounds.cost_from_logits", "weights: int = 0", "weights: int = 1", ONE_AT_LEAST),
    Equivalent("judging.bounds.output_dA", "< 2e-12", "<= 2e-12", ON_THE_EDGE),
    Equivalent(
        "judging.judge.judge",
        "initial=0.0, where=np.isfinite(tolerance))",
        "initial=0.0, )",
        ALREADY_UNTOLD,
    ),
    Equivalent("formulas.norm_bounds._parts", "A.size // mu.size", "A.size / mu.size", IT_DIVIDES),
    Equivalent("formulas.norm_bounds.norm_backward_bounds", "A.size // root.size", "A.size / root.size", IT_DIVIDES),
    Equivalent(
        "formulas.norm_bounds.norm_backward_bounds", "A.size // weight.size", "A.size / weight.size", IT_DIVIDES
    ),
    Equivalent("formulas.norm_bounds.running_bounds", "A.size // mu.size", "A.size / mu.size", IT_DIVIDES),
    Equivalent(
        "formulas.norm_bounds.predict_backward_bounds", "A.size // weight.size", "A.size / weight.size", IT_DIVIDES
    ),
    Equivalent("formulas.run.reference_outputs", "np.float64", "None", A_NUMBER),
    Equivalent("formulas.run.magnitudes", "np.float64", "None", WIDE),
    Equivalent("formulas.run._by_complex_step", "cast(inputs, np.float64)", "cast(inputs, None)", WIDE),
    Equivalent("comparison.free_runs.run_free", "begin.X.dtype, 1", "begin.X.dtype, 2", NO_FLOOR),
    Equivalent(
        "comparison.free_runs._judged_rates",
        "np.array(allowed), np.float64",
        "np.array(allowed), None",
        NONE_IS_FLOAT64,
    ),
    Equivalent("comparison.free_runs.run_free", "{runs[0].history", "{runs[1].history", ALL_ALIKE),
    Equivalent("comparison.free_runs.run_free", "_judged_rates(runs[0]", "_judged_rates(runs[1]", ALL_ALIKE),
    Equivalent("comparison.free_runs._judged", 'ours[0]["W1"].dtype', 'ours[1]["W1"].dtype', ALL_ALIKE),
    Equivalent("comparison.free_runs._ByHand.step", "passed.A, strict=False", "passed.A, strict=None", BY_DEFAULT),
    Equivalent("comparison.free_runs._ByHand.step", "passed.A, strict=False", "passed.A, ", BY_DEFAULT),
    Equivalent("comparison.free_runs._path", "begin.X.dtype, params", "None, params", GIVEN),
    Equivalent("comparison.free_runs._ByTorch.__init__", "Before({}, [], [])", "Before(None, [], [])", REPLACED),
    Equivalent(
        "comparison.free_runs._ByTorch._see",
        "cast(int, layer.kernel_size)",
        "cast(None, layer.kernel_size)",
        TYPES_ALONE,
    ),
    Equivalent(
        "comparison.free_runs._ByTorch._see",
        "cast(int, layer.stride)",
        "cast(None, layer.stride)",
        TYPES_ALONE,
    ),
    Equivalent("comparison.free_runs._first_kink", "reference, strict=False", "reference, strict=None", BY_DEFAULT),
    Equivalent("comparison.free_runs._first_kink", "reference, strict=False", "reference, ", BY_DEFAULT),
    Equivalent(
        "comparison.free_runs._first_kink",
        "theirs.kinks, strict=True",
        "theirs.kinks, strict=None",
        SAME_LAYERS,
    ),
    Equivalent("comparison.free_runs._first_kink", "theirs.kinks, strict=True", "theirs.kinks, ", SAME_LAYERS),
    Equivalent(
        "comparison.free_runs._first_kink",
        "theirs.kinks, strict=True",
        "theirs.kinks, strict=False",
        SAME_LAYERS,
    ),
    Equivalent("comparison.snap._Wide.__call__", ".astype(np.float64)", ".astype(None)", WIDE),
    Equivalent("comparison.snap_updates.Updates.step", ".astype(np.float64)", ".astype(None)", WIDE),
    Equivalent("comparison.snap.Step._cost", "else 0", "else 1", ONE_AT_LEAST),
    Equivalent(
        "comparison.snap.passes",
        "case.lambda_, only_grads=True",
        "case.lambda_, only_grads=None",
        ONLY_FASTER,
    ),
    Equivalent("comparison.snap.passes", "case.lambda_, only_grads=True", "case.lambda_, ", ONLY_FASTER),
    Equivalent(
        "comparison.snap.passes",
        "case.lambda_, only_grads=True",
        "case.lambda_, only_grads=False",
        ONLY_FASTER,
    ),
    Equivalent("formulas.run._by_complex_step", "got.get(name, 0)", "got.get(name, None)", MISSING),
    Equivalent("formulas.run._by_complex_step", "got.get(name, 0)", "got.get(name, )", MISSING),
    Equivalent("derivations.verdicts.times", "if ratio < 0", "if ratio <= 0", NO_ZERO),
    Equivalent("derivations.verdicts._is_usual", "range(1, 11)", "range(11)", NO_ZERO),
    Equivalent("derivations.verdicts._is_usual", "if count > 1", "if count >= 1", SMALL_ANYWAY),
    Equivalent("derivations.verdicts._is_usual", "if count > 1", "if count > 2", SMALL_ANYWAY),
    Equivalent("formulas.run._by_complex_step", "got.get(name, 0)", "got.get(name, 1)", MISSING),
    Equivalent("derivations.engine.truths._direction", "[3, abs", "[4, abs", ANY_DIRECTION),
    Equivalent(
        "derivations.engine.truths.Truths.__init__",
        "self.by_differences = False",
        "self.by_differences = None",
        NONE_IS_NO,
    ),
    Equivalent("derivations.engine.truths.Truths._by_autograd", "tensor * 1.0", "tensor / 1.0", SIGNS),
    Equivalent("derivations.engine.truths.Truths._by_autograd", "keep=True", "", BY_DEFAULT_KEPT),
    Equivalent(
        "derivations.engine.truths.Truths._cost_with",
        "if kind is STEP else",
        "if (kind is STEP) and False else",
        COPIED_IN,
    ),
    Equivalent("derivations.engine.truths.Truths.confirmed", "<= size", "< size", EITHER),
    Equivalent("derivations.engine.claims.Claims._claim", "event.name, ()", "event.name, None", NO_BASES),
    Equivalent("derivations.engine.claims.Claims._claim", "event.name, ()", "event.name, ", NO_BASES),
    Equivalent("derivations.engine.claims.Claims.slopes_of", "tensor * 1.0", "tensor / 1.0", SIGNS),
    Equivalent("derivations.engine.claims.Claims.slopes_of", "hook, last, keep", "hook, None, keep", ONLY_REACHED),
    Equivalent("derivations.engine.claims.Claims.slopes_of", "keep=False", "keep=None", ONLY_FASTER),
    Equivalent("derivations.engine.claims.Claims.slopes_of", "keep=False", "keep=True", ONLY_FASTER),
    Equivalent("derivations.engine.claims.Claims._is_meant", "event.name, ()", "event.name, None", NO_BASES),
    Equivalent("derivations.engine.claims.Claims._is_meant", "event.name, ()", "event.name, ", NO_BASES),
    Equivalent(
        "derivations.engine.claims.Claims._without_parts",
        "order[each.event.key] > order",
        "order[each.event.key] >= order",
        ITSELF,
    ),
    Equivalent(
        "derivations.engine.claims.Claims._home",
        "if event.statement is None else",
        "if (event.statement is None) and False else",
        NO_LINE,
    ),
    Equivalent("derivations.engine.claims.Claims._home", "end_lineno or 0", "end_lineno or 1", PARSED),
    Equivalent("derivations.engine.claims.Claims._home", 'strip("_")', 'strip("XX_XX")', IN_LOWER_CASE),
    Equivalent("derivations.engine.name_uses.Uses.is_late", 'else ""', 'else "XXXX"', NO_SUCH_NAME),
    Equivalent("derivations.engine.shapes.sizes.Sizes.together", "strict=True", "strict=None", EQUAL_LENGTHS),
    Equivalent("derivations.engine.shapes.sizes.Sizes.together", "strict=True", "", EQUAL_LENGTHS),
    Equivalent("derivations.engine.shapes.sizes.Sizes.together", "strict=True", "strict=False", EQUAL_LENGTHS),
    Equivalent("derivations.engine.shapes.sizes.Sizes.match", "strict=True", "strict=None", EQUAL_LENGTHS),
    Equivalent("derivations.engine.shapes.sizes.Sizes.match", "strict=True", "", EQUAL_LENGTHS),
    Equivalent("derivations.engine.shapes.sizes.Sizes.match", "strict=True", "strict=False", EQUAL_LENGTHS),
    Equivalent("derivations.engine.shapes.sizes.Sizes.product", "> 1", "> 2", OF_TWO_AXES),
    Equivalent("derivations.engine.guards.without_guards", "end_col_offset or 0", "end_col_offset or 1", PARSED),
    Equivalent("derivations.engine.guards._guards", '"id", "")', '"id", "XXXX")', NO_SUCH_NAME),
    Equivalent("derivations.engine.guards._small_names", "strict=True", "strict=None", EQUAL_LENGTHS),
    Equivalent("derivations.engine.guards._small_names", "strict=True", "", EQUAL_LENGTHS),
    Equivalent("derivations.engine.guards._small_names", "strict=True", "strict=False", EQUAL_LENGTHS),
    Equivalent("derivations.engine.guards._name", 'else ""', 'else "XXXX"', NO_SUCH_NAME),
    Equivalent("differences.patterns._factor", "np.abs(expected), -1)", "np.abs(expected), -2)", BELOW_ALL),
    Equivalent("differences.patterns._factor", "simple < 0", "simple <= 0", NO_ZERO),
    Equivalent("differences.patterns._factor", "< 1e-3)", "<= 1e-3)", EITHER),
    Equivalent("differences.patterns._factor", "ratio < 0", "ratio <= 0", NO_ZERO),
    Equivalent("differences.patterns._orders", "n_C, -1", "n_C, -2", ANY_NEGATIVE),
    Equivalent("differences.patterns._by_line", "got.shape[axis], -1", "got.shape[axis], -2", ANY_NEGATIVE),
    Equivalent("differences.patterns._simplest", "<= spread", "< spread", EITHER),
    Equivalent("gradients.verdict.ArrayCheck.__str__", 'numbers = ""', "numbers = None", LEFT_OUT),
    Equivalent("gradients.verdict.smallest", "np.dtype(np.float64)", "np.dtype(None)", NONE_IS_FLOAT64),
    Equivalent("gradients.verdict.must_be_seen", "np.dtype(np.float64)", "np.dtype(None)", NONE_IS_FLOAT64),
    Equivalent("gradients.verdict.judge_array", "astype(np.float64)", "astype(None)", WIDE),
    Equivalent("comparison.run.compare", 'units("", dtype', "units(dtype", NO_TEXT),
    Equivalent("comparison.run.units", "jobs: int = 1", "jobs: int = 2", ENOUGH_JOBS),
    Equivalent("comparison.run.environment", 'version("scikit-learn")', 'version("SCIKIT-LEARN")', ANY_CASE),
    Equivalent("comparison.run.on_device", "plain, strict=True", "plain, strict=None", SAME_LINES),
    Equivalent("comparison.run.on_device", "plain, strict=True", "plain, ", SAME_LINES),
    Equivalent("comparison.run.on_device", "plain, strict=True", "plain, strict=False", SAME_LINES),
    Equivalent("comparison.run.run_all", "work[0].device", "work[1].device", ONE_DEVICE),
    Equivalent("comparison.run.run_all", "work[0].compiled", "work[1].compiled", ONE_DEVICE),
    Equivalent("comparison.free_runs.run_free", "_replace(X=X, Y=Y)", "_replace(Y=Y)", AS_Y),
    Equivalent("gradients.input.Arguments.call", "strict=True", "strict=None", EQUAL_LENGTHS),
    Equivalent("gradients.input.Arguments.call", "strict=True", "", EQUAL_LENGTHS),
    Equivalent("gradients.input.Arguments.call", "strict=True", "strict=False", EQUAL_LENGTHS),
    Equivalent("gradients.input.read_point", "strict=True", "strict=None", EQUAL_LENGTHS),
    Equivalent("gradients.input.read_point", "strict=True", "", EQUAL_LENGTHS),
    Equivalent("gradients.input.read_point", "strict=True", "strict=False", EQUAL_LENGTHS),
    Equivalent("gradients.check.check_gradient", "strict=True", "strict=None", EQUAL_LENGTHS),
    Equivalent("gradients.check.check_gradient", "strict=True", "", EQUAL_LENGTHS),
    Equivalent("gradients.check.check_gradient", "strict=True", "strict=False", EQUAL_LENGTHS),
    Equivalent("gradients.input.read_point", '"iu"', '"XXiuXX"', NO_SUCH_KIND),
    Equivalent("gradients.input.known_arrays", '"iuf"', '"XXiufXX"', NO_SUCH_KIND),
    Equivalent("gradients.input._real", '"iuf"', '"XXiufXX"', NO_SUCH_KIND),
    Equivalent("gradients.value._number", '"biuf"', '"XXbiufXX"', NO_SUCH_KIND),
    Equivalent("gradients.input.read_point", "astype(np.float64)", "astype(None)", WIDE),
    Equivalent("gradients.input.known_arrays", "astype(np.float64)", "astype(None)", WIDE),
    Equivalent("gradients.input._real", "astype(np.float64)", "astype(None)", WIDE),
    Equivalent("gradients.value._value_beside", "x.point * spread", "x.point / spread", EITHER_SIGN),
    Equivalent("gradients.derivatives.random_direction", ") * rng.choice", ") / rng.choice", SIGNS),
    Equivalent("gradients.derivatives.ridders", "change < error[j:]", "change <= error[j:]", EITHER),
    Equivalent("gradients.derivatives.ridders", "> error[row] + doubt", ">= error[row] + doubt", EITHER),
    Equivalent("gradients.derivatives.ridders", "error[row] = np.inf", "error[row] = None", AS_LITTLE_FINITE),
    Equivalent("gradients.derivatives.threshold", "point + s * h", "point - s * h", BOTH_SIDES),
    Equivalent("gradients.part.by_complex_step", "value, COMPLEX_STEP", "value, None", NO_DIFFERENCES),
    Equivalent("gradients.referee._trust", "point + 2.0**-10", "point - 2.0**-10", EITHER_SIGN),
    Equivalent("gradients.referee._agrees_elsewhere", "LARGEST_STEP, 1.0", "LARGEST_STEP, 2.0", STEPS_ANYWAY),
    Equivalent("derivations.own.dumps.numbers_only", '"fiub"', '"XXfiubXX"', NO_SUCH_KIND),
    Equivalent("derivations.own.dumps.in_columns", 'name, ""', 'name, "XXXX"', NO_AXES),
    Equivalent("derivations.own.dumps._turned", 'strip("()")', 'strip("XX()XX")', NO_SUCH_AXIS),
    Equivalent("derivations.own.dumps._turned", "reshape(1, -1)", "reshape(1, -2)", ANY_NEGATIVE),
    Equivalent("derivations.own.dumps._turned", "reshape(-1, 1)", "reshape(-2, 1)", ANY_NEGATIVE),
    Equivalent("derivations.own.dumps.hidden_units", '("",)', '("XXXX",)', NO_OUTPUT),
    Equivalent("derivations.own.dumps._followed", "astype(np.float64)", "astype(None)", WIDE),
    Equivalent("judging.judge.Ledger.add", "bound, np.nan)", "bound, None)", NONE_IS_NAN),
    Equivalent("judging.judge.judge", "not fails and (special", "not fails or (special", FAILS_ANYWAY),
    Equivalent("judging.judge.judge", "not 2 * largest_tolerance <=", "not 3 * largest_tolerance <=", THE_LONG_WAY),
    Equivalent("judging.judge.judge", "largest_tolerance <= share", "largest_tolerance < share", THE_LONG_WAY),
    Equivalent("comparison.run._import_what_is_used_late", "nn.Linear(1, 1)", "nn.Linear(2, 1)", ANY_LAYER),
    Equivalent("comparison.run._import_what_is_used_late", "nn.Linear(1, 1)", "nn.Linear(1, 2)", ANY_LAYER),
    Equivalent("comparison.run._import_what_is_used_late", "learning_rate=1.0", "learning_rate=2.0", ANY_LAYER),
    Equivalent("derivations.engine.search.Search.rate", "factor < 0", "factor <= 0", NO_ZERO),
    Equivalent("derivations.engine.convention._is_a_size", '"iuf"', '"XXiufXX"', NO_SUCH_KIND),
    Equivalent("derivations.engine.convention.in_words", "factor < 0", "factor <= 0", NO_ZERO),
    Equivalent("derivations.engine.convention.in_words", "<= SAME", "< SAME", EITHER),
    Equivalent("derivations.engine.convention.ratio_of", "<= tolerance", "< tolerance", EITHER),
)
