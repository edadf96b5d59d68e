"""The chapters of the page in the notes' order: which formulas each has, its rows, and its pictures by name."""

from __future__ import annotations

from typing import NamedTuple

from parity_tests.formulas import FORMULAS
from parity_tests.formulas.formula import Formula
from parity_tests.notes import (
    activations,
    convolution,
    costs,
    deep_backward,
    deep_forward,
    initialization,
    logistic,
    minibatch,
    recipe,
    shallow_backward,
    shallow_forward,
    theory,
    vectorization,
)
from parity_tests.notes.row import Row

BY_ID = {formula.id: formula for formula in FORMULAS}


class Chapter(NamedTuple):
    """A chapter of the notes: its formulas, its rows, and its pictures by name."""

    id: str
    title: str
    formulas: tuple[Formula, ...]
    rows: tuple[Row, ...]
    pictures: tuple[str, ...] = ()


def _chapter(id_: str, title: str, formulas: str, rows: tuple[Row, ...], *pictures: str) -> Chapter:
    return Chapter(id_, title, tuple(BY_ID[each] for each in formulas.split()), rows, pictures)


CHAPTERS: tuple[Chapter, ...] = (
    _chapter(
        "logistic", "Logistic regression",
        "logistic_regression.one_example costs.binary_cross_entropy costs.binary_cross_entropy_from_logits "
        "costs.binary_cross_entropy_prime costs.output_dZ logistic_regression.propagate "
        "updates.gradient_descent_update",
        logistic.ROWS, "graph",
    ),
    _chapter(
        "vectorization", "Vectorisation and broadcasting",
        "vectorization.linear_unit vectorization.matrix_vector vectorization.column_percentages "
        "vectorization.broadcast_add notation",
        vectorization.ROWS, "loops",
    ),
    _chapter(
        "shallow-forward", "Shallow networks, forward",
        "dense.linear_forward network.forward network.predict",
        shallow_forward.ROWS,
    ),
    _chapter(
        "dense", "Shallow networks, backward",
        "dense.weight_gradient dense.bias_gradient dense.input_gradient",
        shallow_backward.ROWS, "boundaries",
    ),
    _chapter(
        "activations", "Activations",
        "activations.sigmoid activations.sigmoid_prime activations.tanh activations.tanh_prime activations.relu "
        "activations.relu_prime activations.leaky_relu activations.leaky_relu_prime activations.identity "
        "costs.squared_error theory.collapse",
        activations.ROWS, "activations",
    ),
    _chapter(
        "initialization", "Initial weights",
        "theory.unit_distance initialization.small initialization.lecun theory.spread draws.initial_parameters",
        initialization.ROWS, "spreads",
    ),
    _chapter(
        "deep-forward", "Deep networks, forward",
        "architecture.model",
        deep_forward.ROWS,
    ),
    _chapter(
        "deep-backward", "Deep networks, backward",
        "dense.linear_backward network.backward jacobians.dZ_dW jacobians.dA_dZ jacobians.dZ_dA_prev "
        "jacobians.dA_dW jacobians.weight_gradient_by_index jacobians.input_gradient_by_index",
        deep_backward.ROWS,
    ),
    _chapter(
        "theory", "What depth is good for",
        "theory.parity theory.parity_tree theory.parity_minterms theory.parity_sawtooth",
        theory.ROWS,
    ),
    _chapter(
        "costs", "The cost and its penalty",
        "costs.l2_penalty network.cost",
        costs.ROWS, "costs",
    ),
    _chapter(
        "minibatch", "Mini-batches and training",
        "training.minibatches training.fit clipping.gradient_norm",
        minibatch.ROWS,
    ),
    _chapter(
        "convolution", "Convolutions",
        "shapes.conv_output_size conv.zero_pad conv.conv_forward conv.conv_backward conv.flatten "
        "pooling.pool_forward pooling.pool_backward shapes.dense_parameter_count shapes.conv_parameter_count "
        "shapes.table",
        convolution.ROWS, "filters",
    ),
    _chapter(
        "recipe", "The recipe, search and optimisers",
        "activations.softmax activations.softmax_backward costs.cross_entropy costs.cross_entropy_prime "
        "dropout.dropout_forward dropout.dropout_backward updates.momentum_update updates.rmsprop_update "
        "updates.adam_update schedules.exponential schedules.inverse_time recipe.steps.preprocessing "
        "recipe.steps.architecture recipe.steps.first_loss recipe.steps.turned_up recipe.steps.overfitting "
        "recipe.search.scan shared.search_ranges.range_of recipe.search.search recipe.run.steps",
        recipe.ROWS, "rates", "searches",
    ),
    _chapter(
        "optimizers", "Beyond the notes: momentum and AdamW",
        "updates.classical_momentum_update updates.nesterov_update updates.adamw_update",
        (),
    ),
    _chapter(
        "normalization", "Beyond the notes: normalisation",
        "normalization.batch_norm_forward normalization.batch_norm_backward normalization.running_statistics "
        "normalization.batch_norm_predict normalization.batch_norm_predict_backward "
        "normalization.layer_norm_forward normalization.layer_norm_backward",
        (),
    ),
    _chapter(
        "losses", "Beyond the notes: losses",
        "costs.relative_weights "
        "losses.log_softmax losses.log_softmax_backward losses.label_cross_entropy losses.label_cross_entropy_prime "
        "losses.softmax_squared_error losses.softmax_squared_error_prime losses.huber losses.huber_prime losses.hinge "
        "losses.hinge_prime",
        (),
    ),
    _chapter(
        "channels-first", "Beyond the notes: channels first",
        "channels_first.im2col channels_first.col2im channels_first.conv_first_forward "
        "channels_first.conv_first_backward channels_first.padded_pool_forward channels_first.padded_pool_backward",
        (),
    ),
    _chapter(
        "sequences", "Beyond the notes: sequences and attention",
        "sequences.rnn_step_forward sequences.rnn_step_backward sequences.lstm_step_forward "
        "sequences.lstm_step_backward sequences.gru_step_forward sequences.gru_step_backward sequences.rnn_forward "
        "sequences.rnn_backward sequences.lstm_forward sequences.lstm_backward sequences.gru_forward "
        "sequences.gru_backward attention.softmax_rows attention.softmax_rows_backward attention.attention_forward "
        "attention.attention_backward attention.heads_forward attention.heads_backward",
        (),
    ),
)  # fmt: skip
"""One for every chapter of the errata, then what the notes end before."""
