"""What the index lets pass, by reason: code that has no formula of the notes, formulas of code that have no case."""

from __future__ import annotations

WITHOUT_FORMULAS = ("__main__", "architecture_json", "checks", "estimators", "files", "graph", "layer_words")
"""Modules at the top of manual that hold no formula of the notes."""

NO_FORMULA: dict[str, str] = {
    "an addition that saves memory": "notation.plus",
    "the inputs of an experiment": "theory.all_inputs",
    "a part of what is given": "architecture.model_for network.example",
    "how a learner keeps examples, parameters and states": "training.Learner training.columns training.flattened "
    "training.in_rows training.joined training.split training.unflattened",
    "a part of a step of the recipe": "recipe.run.activations recipe.run.backend "
    "recipe.search.at_upper_edge recipe.search.chance_of recipe.search.chosen "
    "recipe.search.trial recipe.steps.judged recipe.steps.small_parameters",
    "what the notes leave out": "clipping.clip_by_norm schedules.constant",
}
"""Functions without an id, by reason."""

NO_CASE: dict[str, str] = {
    "a convention of symbols and shapes, which every case keeps": "F044 F045 F153 F154 F156",
    "the walk through a network, compared by the cases of the models": "F064 F090 F162 F164 F171",
    "the walk through a network example by example, in manual/test_network": "F071",
    "a description of networks, which computes nothing": "F063 F142 F148 F194",
    "the epochs of training, compared by the free runs of the models": "F209 F210 F211 F212 F213 F216 F217 F218 F258",
    "a step of the recipe, in recipe/test_recipe": "F244 F245 F246 F249 F250 F252 F262",
    "a random search, in torch_ref/test_search": "F255 F256 F257 F260 F261",
    "an order that is drawn, not computed": "F208 F215",
    "a decision on outputs that have a case, in manual/test_network": "F004 F139",
    "a symbol, a count or a shape of convolutions that have cases, in manual/test_conv": "F222 F228 F229 F232 F236",
    "another reading of a formula that has a case": "F006 F027",
    "a value of a formula that has a case": "F135 F145 F248",
    "a slip in code": "F038",
    "an experiment, in manual/test_theory": "F146",
}
"""Formulas without a case, by reason; ids separated by spaces."""
