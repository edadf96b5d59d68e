"""The eight steps of the recipe, and the search they end in. Nothing is compared here: tests/recipe runs them."""

from __future__ import annotations

from parity_tests.formulas.formula import Code, Formula, Words

RUNS = "It looks at runs of a package through what both have in common: the step itself computes nothing of its own."
"""Why a step has neither a loop form nor a counterpart: it is handed the package to look at."""


FORMULAS = (
    Formula(
        (Code("recipe.steps.preprocessing", "F244 F245"),),
        Words(
            "Step 1: normalise",
            r"x_j \coloneqq \frac{x_j - \mu_j}{s_j}, \qquad \mu_j = \frac{1}{m} \sum_{i=1}^{m} x_j^{(i)}, \qquad "
            r"s_j^{2} = \frac{1}{m} \sum_{i=1}^{m} \bigl( x_j^{(i)} - \mu_j \bigr)^{2}",
            "$dw_{jk}$ has the factor $a_k$: a feature in thousands has gradients in thousands, and no learning rate "
            "suits it and its neighbours at once. With mean 0 and deviation 1 all features pull alike, and $z$ starts "
            "where sigmoid and tanh are steep. For images one mean and one deviation of all pixels will do.",
            "Mean and deviation are taken from all the data.",
            "The test part has had a say in training: its score is too good, and nothing else shows it.",
            shapes="X (n_x, m); mean and deviation (n_x, 1), from the training part alone.",
            lacks=RUNS,
        ),
        uncompared={"F244 F245": "a step of the recipe, in recipe/test_recipe"},
    ),
    Formula(
        (Code("recipe.steps.architecture", "F246"), Code("recipe.steps.initialization", "F143 F144 F147 F246")),
        Words(
            "Steps 2 and 3: a network, and where it starts",
            r"\text{output: } \begin{cases} \sigma & \text{two classes} \\ \mathrm{softmax} & \text{more} \\ z & "
            r"\text{a number} \end{cases} \qquad \frac{\mathrm{spread}(A^{[l]})}{\mathrm{spread}(A^{[l-1]})} \approx "
            "1",
            "The task decides the output unit, and with it the cost. The first weights must differ from unit to unit, "
            "and keep the spread of the activations from layer to layer: a factor of a half a layer is a thousandth "
            "after ten.",
            "A softmax layer with one unit.",
            "Its output is 1 for every example, since one number is its own sum: the cost does not move.",
            shapes="W (n, n_prev), b (n, 1) for every layer; one spread for every A.",
            lacks=RUNS,
        ),
        uncompared={"F246": "a step of the recipe, in recipe/test_recipe"},
    ),
    Formula(
        (Code("recipe.steps.first_loss", "F247 F248"),),
        Words(
            "Step 4: the loss of a network that knows nothing",
            r"W \approx 0: \quad a_j \approx \frac{1}{C}, \qquad J \approx \log C, \qquad \log 10 = 2.3026",
            "With weights near 0 all $z$ are near 0 and softmax gives each of $C$ classes the same. The loss of the "
            r"true one is then $-\log (1/C) = \log C$, whatever the data: a number known beforehand, before anything "
            "is trained. The slope of the cost along its gradient is compared as well.",
            "sign",
            "The first loss is -2.3026, and training drives it on to minus infinity.",
            shapes="J is a number; Y (n_L, m) one-hot.",
            lacks=RUNS,
        ),
    ),
    Formula(
        (Code("recipe.steps.turned_up", "F249"),),
        Words(
            "Step 5: regularisation turned up",
            r"J_{reg} - J_0 = \frac{reg}{2} \sum_{l} \left\| W^{[l]} \right\|_F^{2}, \qquad reg = \frac{\lambda}{m}",
            "The penalty is the only part of $J$ that $reg$ is in, so the rise is known exactly: with $reg = 10^{3}$ "
            r"and weights of size 0.0001 it is $500 \cdot 10^{-8}$ for each weight. A cost that does not rise by that "
            "has another penalty than the gradient.",
            "l2-factor-2",
            "The cost rises twice as much as the weights say, and the gradient's penalty is twice or half of it.",
            shapes="J is a number; the sum runs over every W.",
            lacks=RUNS,
        ),
        uncompared={"F249": "a step of the recipe, in recipe/test_recipe"},
    ),
    Formula(
        (Code("recipe.steps.overfitting", "F250"),),
        Words(
            "Step 6: overfit a small piece",
            r"m \ll n: \qquad J \to 0, \qquad \text{accuracy} \to 1",
            "A few examples and many parameters: there are weights that answer all of them right, so a network that "
            "cannot learn twenty examples by heart will not learn the rest. No regularisation, no dropout: both "
            "forbid it.",
            "Dropout or the penalty is still on.",
            "The cost stops well above 0, as if the network were too small.",
            shapes="X (n_x, 20) or so.",
            lacks=RUNS,
        ),
        uncompared={"F250": "a step of the recipe, in recipe/test_recipe"},
    ),
    Formula(
        (Code("recipe.search.scan", "F251 F252 F253"),),
        Words(
            "Step 7: learning rates from too small to too high",
            r"\alpha = 10^{k}: \qquad \Delta J \approx -\alpha \left\| \nabla J \right\|^{2} \text{ while } \alpha "
            r"\text{ is small}, \qquad J_t > 3 J_0 \text{: explodes}",
            r"To first order the cost falls in proportion to $\alpha$. Much too small, and it stays where it is; too "
            r"large, and the second order, which grows as $\alpha^{2}$, wins: each step overshoots by more than the "
            "last. Where that is depends on the problem, so whole powers of ten are tried until one explodes.",
            "A rate is copied from another network.",
            "It explodes, or it creeps: the limit is set by the curvature of this cost.",
            shapes="One J for each step of each run.",
            lacks=RUNS,
        ),
        uncompared={"F252": "a step of the recipe, in recipe/test_recipe"},
    ),
    Formula(
        (Code("shared.search_ranges.range_of", "F257"),),
        Words(
            "A range in powers of ten",
            r"\alpha = 10^{u}, \qquad u \sim U(-6, -3), \qquad P(\alpha < 10^{-5}) = \frac{1}{3}",
            "Rates and penalties act as factors: from 0.001 to 0.002 is as far as from 0.1 to 0.2. A uniform exponent "
            "makes every decade as likely as any other.",
            "alpha is drawn uniformly between 0.000001 and 0.001.",
            "Nine draws of ten lie in the last decade; small rates are never tried.",
            shapes="Two exponents, a number for each draw.",
            lacks="It gives the two ends; the draws are scipy's loguniform.",
        ),
        uncompared={"F257": "a random search, in torch_ref/test_search"},
    ),
    Formula(
        (
            Code("recipe.search.search", "F255 F256 F257 F258 F259 F260 F261"),
            Code("recipe.search.finer", "F261 F262"),
            Code("recipe.search.searched", "F255 F256 F257 F258 F259 F260 F261 F262"),
        ),
        Words(
            "Step 8: coarse search, fine search",
            r"(\alpha, reg)_k = (10^{u_k}, 10^{v_k}), \; k = 1, \ldots, 100; \qquad \text{finer: } \bigl[ \min_{best} "
            r"u - \tfrac{1}{2},\; \max_{best} u + \tfrac{1}{2} \bigr]",
            "Random points beat a grid: where only one of two numbers matters, a hundred draws try a hundred values "
            "of it and a ten by ten grid ten. Few epochs are enough to tell bad from good. The best tenth spans the "
            "next ranges, half a decade wider on every side; where the best lies at an edge, the range was too "
            "narrow.",
            "The test part picks the winner.",
            "The best of a hundred is partly luck: on new data the score drops by what the choice had gained.",
            shapes="A score on the validation part for each pair.",
            lacks="It is a loop: over the draws, each of which is a training of its own.",
        ),
        uncompared={
            "F255 F256 F260 F261": "a random search, in torch_ref/test_search",
            "F262": "a step of the recipe, in recipe/test_recipe",
        },
    ),
    Formula(
        (
            Code(
                "recipe.run.steps",
                "F244 F245 F246 F247 F248 F249 F250 F251 F252 F253 F254 F255 F256 F257 F258 F259 F260 F261 F262 F263 "
                "F264 F265 F266",
            ),
        ),
        Words(
            "The eight steps as one",
            r"\text{data} \to \text{network} \to \text{weights} \to \log C"
            "\n"
            r"\to reg \to \text{20 examples} \to \alpha \to \text{search}",
            "Each step can fail for few reasons, and each relies on the ones before: so a failure is found where it "
            "is cheap. A first loss that is off is a mistake in the cost, not in the learning rate; it takes a second "
            "to see, and a night of searching to miss.",
            "The search is begun first.",
            "A hundred trainings, all poor, and no telling which of the steps before was wrong.",
            shapes="X (n_x, m) or (m, n_H, n_W, n_C), Y (n_L, m), as everywhere.",
            lacks=RUNS,
        ),
    ),
)
