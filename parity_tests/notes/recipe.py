"""The recipe, the search and the optimisers: F244 to F266."""

from __future__ import annotations

import numpy as np

from manual.costs import cross_entropy_from_logits
from manual.optimizers import Adam, Momentum, RMSprop
from manual.schedules import exponential
from parity_tests.notes import snippets
from parity_tests.notes.check_kinds import experiment, formula, same, snippet
from parity_tests.notes.optimiser_runs import adam_beside_torch, beside_torch, decayed
from parity_tests.notes.recipe_runs import (
    cranked_up,
    fine_box,
    learning_rates,
    log_space,
    normalised,
    overfitted,
    stops_at,
)
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, MISPRINT, WRONG, Row

TEN = np.zeros((10, 1))
CLASS = np.eye(10)[:, :1]


ROWS = (
    Row(
        "F244", "N3 L5-7", "normalise the inputs", "1. preprocess the data: normalise", HOLDS,
        (experiment("normalised data train better, each with its best learning rate", normalised,
                    lambda run: run.normal < 0.8 * run.raw,
                        "J {normal:.3f} normalised, {raw:.3f} raw, after 300 steps"),),
        (experiment("raw data do as well", normalised, lambda run: run.raw < 1.1 * run.normal,
                    "J {raw:.3f} raw, {normal:.3f} normalised"),),
        "zero mean and unit deviation for each feature, both from the training set",
    ),
    Row("F245", "N3 L9", "centre the images",
        "for images, only transcribe", MISPRINT, truth="perhaps translate: subtract the mean",
        cause="misprint",
        unchecked="what was meant cannot be told"),
    Row("F246", "N3 L11-13", "choose sizes, initialise",
        "2. choose an architecture; 3. initialise the parameters, depending on it", HOLDS,
        unchecked="an order of work"),
    Row(
        "F247", "N3 L15-21", "first cost, no penalty", "4. without regularisation, check L = sum_i y_i log p_i", WRONG,
        (formula("J = -1/m * np.sum(Y*np.log(A))", "cross_entropy"),
         same("ten equal scores: -log 1/10", "", lambda at: (cross_entropy_from_logits(TEN, CLASS), np.log(10.0)))),
        (formula("J = 1/m * np.sum(Y*np.log(A))", "cross_entropy", cause="sign"),
         same("ten equal scores: log 1/10", "", lambda at: (np.sum(CLASS * np.log(CLASS * 0 + 0.1)), np.log(10.0)))),
        "L = -sum_i y_i log p_i",
    ),
    Row(
        "F248", "N3 L23", "ln C before training", "2.3026 = log, for 10 classes", CONVENTION,
        (same("the natural logarithm", "", lambda at: (np.round(cross_entropy_from_logits(TEN, CLASS), 4), 2.3026)),
         experiment("a network with tiny weights starts there", cranked_up,
             lambda run: abs(run.loss - np.log(10)) < 1e-3,
                    "the loss is {loss:.5f}")),
        (same("the logarithm to base 10", "", lambda at: (np.log10(10.0), cross_entropy_from_logits(TEN, CLASS))),
         same("the logarithm to base 2", "", lambda at: (np.log2(10.0), cross_entropy_from_logits(TEN, CLASS)))),
        "ln 10 = 2.302585",
    ),
    Row(
        "F249", "N3 L25-27", "the penalty raises the cost",
        "5. regularisation 1e^3: the loss goes up to 3.0685974", CONVENTION,
        (experiment("1/2 reg sum W^2 with reg = 10^3, weights of scale 1e-4", cranked_up,
                    lambda run: abs(run.loss + run.half - 3.0686) < 0.03, "loss {loss:.4f} + {half:.4f}"),),
        (experiment("reg sum W^2", cranked_up,
            lambda run: abs(run.loss + run.whole - 3.0686) < 0.03, "{loss:.4f} + {whole:.4f}"),
         experiment("lambda/(2m) sum W^2", cranked_up, lambda run: abs(run.loss + run.over_m - 3.0686) < 0.03,
                    "{loss:.4f} + {over_m:.6f}"),
         experiment("reg = e^3", cranked_up, lambda run: abs(run.loss + run.half * np.exp(3) / 1e3 - 3.0686) < 0.03,
                    "{loss:.4f} + 0.02 of {half:.4f}")),
        "1e^3 is 10^3, and the penalty 1/2 reg sum W^2; the last digits are those of a draw",
    ),
    Row(
        "F250", "N3 L29-33", "overfit a small set",
        "6. overfit a small piece of the data: loss near 0, accuracy 100 %", HOLDS,
        (experiment("20 examples are learnt by heart", overfitted, lambda run: run.loss < 0.3 and run.accuracy == 1,
                    "loss {first:.3f} to {loss:.3f}, accuracy {accuracy:.0%}"),),
        (experiment("what was learnt is true of other examples of noise", overfitted, lambda run: run.other > 0.5,
                    "accuracy {other:.0%} on 200 others"),),
    ),
    Row(
        "F251", "N3 L35-37", "rate too small", "7. lr = 1e-6 is too small: the loss changes", MISPRINT,
        (experiment("the loss barely changes", learning_rates, lambda run: abs(run.tiny - run.first) < 1e-3,
                    "loss {first:.5f} to {tiny:.5f} in 60 steps"),),
        (experiment("it changes", learning_rates, lambda run: run.tiny < 0.99 * run.first,
                    "loss {first:.5f} to {tiny:.5f} in 60 steps"),),
        "the loss barely changes", "wording",
    ),
    Row(
        "F252", "N3 L39", "rate too large", "lr = 1e-3 is too high: it explodes", AMBIGUOUS,
        (experiment("where it explodes depends on the problem: here far above", learning_rates,
                    lambda run: run.huge > 10 * run.first or not np.isfinite(run.huge),
                    "loss {huge:.3g} with lr 1e3, {small:.4f} with 1e-3"),),
        (experiment("1e-3 explodes here", learning_rates, lambda run: run.small > run.first,
                    "loss {first:.4f} to {small:.4f} with lr 1e-3"),),
        "the threshold is the problem's; 1e-3 is also the top of the note's own search", "overstated",
    ),
    Row(
        "F253", "N3 L41, 45", "stop an explosion", "define system; detect explosion and leak-act", MISPRINT,
        (experiment("a run that explodes stops early", stops_at, lambda run: run.exploding < 20 and run.calm == 60,
                    "after {exploding} steps, {calm} where nothing explodes"),),
        (experiment("no run stops", stops_at,
            lambda run: run.exploding == 60, "it stops after {exploding} steps of 60"),),
        "perhaps: break off where the cost is above three times its first value", "misprint",
    ),
    Row("F254", "N3 L76-84", "what a network is made of",
        "features: deep, shallow, regularisation, dropout, weight initialisation, loss", HOLDS,
        unchecked="a list of names, without a formula"),
    Row(
        "F255", "N3 L48-50", "coarse search", "coarse search: 5 epochs, 100 draws", HOLDS,
        (experiment("100 draws hit the box of the fine search", fine_box, lambda run: run.hits > 0,
                    "{hits} of 100 in the box, which has {share:.1%} of the area"),),
        (experiment("one draw does", fine_box, lambda run: run.share > 0.5, "the box has {share:.1%} of the area"),),
    ),
    Row(
        "F256", "N3 L52", "reg on a log scale", "reg = 10^uniform(-5, 5)", HOLDS,
        (experiment("every decade is as likely", log_space, lambda run: abs(run.log - 0.1) < 0.03,
                    "{log:.1%} of 2000 draws from 1e-5 to 1e-4"),),
        (experiment("so it is for uniform(1e-5, 1e5)", log_space, lambda run: abs(run.linear - 0.1) < 0.03,
                    "{linear:.1%} of 2000 draws from 1e-5 to 1e-4"),),
    ),
    Row(
        "F257", "N3 L54, 70, 74", "rate on a log scale", "lr = 10^uniform(-3, -6); uniform(-3, -4)", CONVENTION,
        (snippet(snippets.ordered_bounds, True),),
        (snippet(snippets.swapped_bounds, True, cause="ValueError"),
         snippet(snippets.swapped_bounds_in_torch, True, cause="RuntimeError")),
        "uniform(-6, -3): the lower bound first",
    ),
    Row(
        "F258", "N3 L56-58", "why a log scale", "search in log space because of low gradient noise", AMBIGUOUS,
        (experiment("a factor counts, not a difference: each decade gets a third of 1e-6 to 1e-3", log_space,
                    lambda run: abs(run.third - 1 / 3) < 0.06, "{third:.1%} of the draws in the middle decade"),),
        (experiment("a linear search does that", log_space, lambda run: abs(run.linear_third - 1 / 3) < 0.06,
                    "{linear_third:.1%} of the draws in the middle decade"),),
        "because lr and reg act as factors", "wording",
    ),
    Row(
        "F259", "N3 L60", "decay of the rate", "learning decay = 0.9", CONVENTION,
        (same("per epoch, as torch's ExponentialLR(0.9)", "", lambda at: (exponential(0.1, 5), decayed(0.1, 5))),),
        (same("0.9 taken off every epoch", "", lambda at: (0.1 * (1 - 0.9) ** 5, decayed(0.1, 5))),),
        "a factor per epoch",
    ),
    Row("F260", "N3 L62", "size of the mini-batches", "batch size = 100", HOLDS, unchecked="a choice"),
    Row("F261", "N3 L64", "choose by accuracy", "look at the accuracy to define a finer search", HOLDS,
        truth="the accuracy on validation data",
        unchecked="advice"),
    Row(
        "F262", "N3 L66-74", "fine search",
        "fine search: the old ranges again, then uniform(-4, 0), uniform(-3, -4)", AMBIGUOUS,
        (experiment("the second pair is a part of the coarse box", fine_box, lambda run: abs(run.share - 2 / 15) < 1e-9,
                    "{share:.1%} of the area"),),
        (experiment("the first pair is: it is the whole box", fine_box,
            lambda run: run.share > 0.99, "{share:.1%} of the area"),),
        "reg = 10^uniform(-4, 0), lr = 10^uniform(-4, -3)", "two-readings",
    ),
    Row(
        "F263", "N3 L88", "momentum", "momentum: beta1 = 0.9", CONVENTION,
        (same("v = beta v + (1 - beta) g: torch's SGD with lr (1 - beta)", "", lambda at: beside_torch(
            at.rng, Momentum(0.1, 0.9), "SGD", lr=0.1 * (1 - 0.9), momentum=0.9)),),
        (same("torch's SGD with the same lr", "", lambda at: beside_torch(
            at.rng, Momentum(0.1, 0.9), "SGD", lr=0.1, momentum=0.9)),),
        "v = beta v + (1 - beta) g here, v = beta v + g in torch",
    ),
    Row(
        "F264", "N3 L89", "RMSprop", "RMSprop: beta2 = 0.999", CONVENTION,
        (same("torch's RMSprop with alpha = 0.999", "", lambda at: beside_torch(
            at.rng, RMSprop(0.01, 0.999), "RMSprop", lr=0.01, alpha=0.999)),),
        (same("torch's RMSprop as it comes, alpha = 0.99", "", lambda at: beside_torch(
            at.rng, RMSprop(0.01, 0.999), "RMSprop", lr=0.01)),),
        "that is Adam's beta2; RMSprop alone usually has 0.9 or 0.99",
    ),
    Row("F265", "N3 L90", "decay of the rate, named", "learning decay", HOLDS, unchecked="a name without a formula"),
    Row(
        "F266", "N3 L91", "Adam", "Adam = momentum + RMSprop", CONVENTION,
        (same("with bias correction: torch's Adam", "", lambda at: beside_torch(
            at.rng, Adam(0.01), "Adam", lr=0.01)),),
        (same("momentum over RMSprop's root, and nothing more", "", lambda at: (
            adam_beside_torch(at.rng, 0.01))),),
        "and the bias correction of both",
    ),
)  # fmt: skip
"""Rows of the errata."""
