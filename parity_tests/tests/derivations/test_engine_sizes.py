"""Unknown sizes: what makes two of them equal, what they add up to, and what comments say of them."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from parity_tests.derivations.engine.layouts import find_layout
from parity_tests.derivations.engine.shapes.sizes import Clash, Sizes, declarations, without_ones
from parity_tests.derivations.engine.texts import read_text, verify_text


def sizes(**same: Any) -> Sizes:
    """Sizes of which some are known: a=3 says that a is 3."""
    found = Sizes()
    for name, size in same.items():
        found.equal(name, size)
    return found


def test_new_sizes_are_all_different() -> None:
    found = Sizes()
    assert [found.new(), found.new()] == ["?1", "?2"]
    assert (found.find("?1"), found.find(4)) == ("?1", 4)


def test_equal_sizes_stand_for_one_another() -> None:
    found = sizes(a="b", b=3)
    assert [found.find(each) for each in ("a", "b", "c")] == [3, 3, "c"]
    assert found.equal("a", 3) == 3
    assert found.equal(5, "c") == found.find("c") == 5
    # of a name and a size that is only numbered, the name stays
    assert found.equal("n", "?1") == "n"
    assert found.equal("?2", "n") == "n"
    assert found.equal("?3", "?4") == "?3"
    assert found.equal("p", "q") == "q"
    assert [found.find(f"?{number}") for number in range(1, 5)] == ["n", "n", "?3", "?3"]


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [(2, 3, "2 and 3"), ("x", 1, "1 and a size that is never 1"), (1, "x", "1 and a size that is never 1")],
)
def test_sizes_that_cannot_be_equal_clash(a: Any, b: Any, said: str) -> None:
    with pytest.raises(Clash, match=f"^{said}$"):
        Sizes().equal(a, b)


def test_sizes_add_up() -> None:
    found = sizes(a=2)
    assert found.total(("n",)) == "n"
    assert found.total(("n", 0)) == "n"
    assert found.total((2, 3, 4)) == 9
    assert found.total(("a", 3)) == 5
    both = found.total(("n", "k"))
    assert (both, found.parts(both)) == ("?1", ("n", "k"))
    assert found.total(("k", "n")) == both
    assert found.total(("n", "l")) == "?2"
    assert found.parts(found.total((both, "m"))) == ("n", "k", "m")
    assert found.parts("n") == ("n",)
    found.equal(both, "d")
    assert (found.total(("n", "k")), found.parts("d")) == ("d", ("n", "k"))
    found.equal("d", 7)
    assert (found.find(both), found.parts(7)) == (7, ("n", "k"))
    circle = Sizes()
    circle.sums["n"] = ("n", "k")
    assert circle.parts("n") == ("n", "k")


@pytest.mark.parametrize(
    ("size", "taken", "left"),
    [
        (7, (3, 2), 2),
        ("both", ("n",), "k"),
        ("both", ("k",), "n"),
        ("three", ("n", "k"), "m"),
        ("three", ("m", "k"), "n"),
        ("three", ("n",), "?3"),  # k and m
        ("n", ("n",), "?3"),  # nothing is left of it that has a size
        ("both", ("m",), "?3"),
    ],
)
def test_what_is_left_of_a_size(size: Any, taken: Any, left: Any) -> None:
    found = Sizes()
    found.equal(found.total(("n", "k")), "both")
    found.equal(found.total(("n", "k", "m")), "three")
    if size == "n":
        assert found.without(size, taken) == 0
        return
    assert found.without(size, taken) == left
    if size == "three" and taken == ("n",):
        assert found.parts(left) == ("k", "m")


def test_a_size_of_which_nothing_is_known_is_what_was_taken_and_a_new_one() -> None:
    found = Sizes()
    assert found.without("z", ("n", "k")) == "?1"
    assert found.parts("z") == ("n", "k", "?1")
    found.equal(found.total(("n", "rest")), "all")
    assert found.without("all", ("n", "k")) == "?3"
    assert found.parts("all") == ("n", "k", "?3")
    assert found.without("k", ("k", "n")) == "?4"  # it is no sum with itself
    assert found.parts("k") == ("k",)
    assert (found.without(7, ("n",)), found.parts(7)) == ("?5", (7,))


@pytest.mark.parametrize(
    ("shape", "others", "size"),
    [
        ((4, 6), (3,), 8),
        ((4, 6), (24,), 1),
        ((4, 6), (2, 3), 4),
        ((4, 6), (4,), 6),
        (("n", 6), (6,), "n"),
        (("n", 6), ("n",), 6),
        (("n", "m"), ("n", "m"), 1),
        (("n", 6), (5,), "?1"),
        (("n", 6), ("k",), "?1"),
        (("n", "m"), (), "?1"),  # n m
        (("n", 6), (3,), "?1"),  # 2 n
        (("n", 6), (6, 1), "n"),
        (("a", "n"), (3,), "n"),
    ],
)
def test_how_many_entries_there_are_for_each_of_some_axes(shape: Any, others: Any, size: Any) -> None:
    found = sizes(a=3)
    assert repr(found.quotient(shape, others)) == repr(size)
    products = {((("n", "m")), ()): ("n", "m"), (("n", 6), (3,)): ("n", 2)}
    if (shape, others) in products:
        assert repr(found.products) == repr({"?1": products[shape, others]})
        assert found.quotient(shape[::-1], others) == "?1"


def test_a_product_that_is_known_is_the_same_size() -> None:
    found = Sizes()
    both = found.product_of(("n", "m"))
    assert (both, found.product_of(("m", "n")), found.product_of(("n",))) == ("?1", "?1", "n")
    found.equal(both, "d")
    assert found.product_of(("n", "m")) == "d"
    assert found.product_of(("n", "k")) == "?2"


@pytest.mark.parametrize(
    ("shape", "others", "size"),
    [
        (("n", 4), (24,), 6),
        (("n", 4), (2, 12), 6),
        ((4, "n"), (24,), 6),
        (("n", "k", 4), ("k", 24), 6),
        (("n", 5), (24,), "n"),
        (("n", "k"), (24,), "n"),
        (("n", 4), (24, "k"), "n"),
        (("n", "n"), ("n", 24), 24),
        (("a", "n"), (24,), 8),
    ],
)
def test_shapes_with_equally_many_entries(shape: Any, others: Any, size: Any) -> None:
    found = sizes(a=3)
    found.regroup(shape, others)
    assert repr(found.find("n")) == repr(size)


@pytest.mark.parametrize(
    ("first", "second", "shape"),
    [
        (("n", "m"), ("n", 1), ("n", "m")),
        (("n", 1), (1, "m"), ("n", "m")),
        (("m",), ("n", "k"), ("n", "k")),
        ((), ("n",), ("n",)),
        ((3, 4), (4,), (3, 4)),
        (("a", 4), (3, 1), (3, 4)),
    ],
)
def test_shapes_of_entrywise_operations(first: Any, second: Any, shape: Any) -> None:
    found = sizes(a=3)
    assert found.together(first, second) == shape
    assert sizes(a=3).together(second, first) in (shape, ("n", "m"))
    if first == ("m",):
        assert found.find("m") == "k"


@pytest.mark.parametrize(
    ("first", "second", "shape"),
    [
        (("n", "k"), ("k", "m"), ("n", "m")),
        (("n", "k"), ("l",), ("n",)),
        (("k",), ("l", "m"), ("m",)),
        (("k",), ("l",), ()),
        (("b", "n", "k"), ("b", "l", "m"), ("b", "n", "m")),
        (("n", "k"), ("b", "l", "m"), ("b", "n", "m")),
        (("b", "n", "k"), ("l", "m"), ("b", "n", "m")),
    ],
)
def test_shapes_of_matrix_products(first: Any, second: Any, shape: Any) -> None:
    found = Sizes()
    assert found.product(first, second) == shape
    if "l" in second:
        assert found.find("k") == found.find("l") == "l"


def test_shapes_that_do_not_fit_clash() -> None:
    for first, second in (((), ("n",)), (("n",), ())):
        with pytest.raises(Clash, match=r"^a number in a matrix product$"):
            Sizes().product(first, second)
    with pytest.raises(Clash, match=r"^2 and 3$"):
        Sizes().product((4, 2), (3, 4))
    with pytest.raises(Clash, match=r"^2 and 1 axes$"):
        Sizes().match((4, 2), (3,))
    found = Sizes()
    found.match(("n", 3), (2, "m"))
    assert (found.find("n"), found.find("m")) == (2, 3)


@pytest.mark.parametrize(
    ("shape", "bare"),
    [((1, 1, "n", 1), ("n", 1)), (("n", "m"), ("n", "m")), ((1, 1), (1,)), ((1,), (1,)), ((), ()), ((1, 4), (4,))],
)
def test_ones_in_front_make_no_difference(shape: Any, bare: Any) -> None:
    assert without_ones(shape) == bare


def test_comments_say_shapes() -> None:
    rows = (
        "Z = W @ X  # W: (H, 3), X: (3, N)",
        "# # b: (H,)",
        "#  p['W1'] : ( 4 , n_x )",
        "# self.w: ()",
        "# U: (a + 1, b)",
        "V: (2, 3)",
        "# G: (2, 3)",
        "# G: (4, 5)",
    )
    assert declarations(rows) == {
        "W": ("H", 3),
        "b": ("H",),
        "p['W1']": (4, "n_x"),
        "self.w": (),
        "G": (4, 5),
    }


def test_a_wrong_axis_in_a_gradient_says_nothing_of_the_bias() -> None:
    """Its sum is as long as the batch, which the forward pass keeps apart from the units."""
    rows = ("z = x @ W + b", "dz = z - y", "dW = x.T @ dz / m", "db = np.sum(dz, axis=1) / m")
    found = find_layout(ast.parse("\n".join(rows)), rows)
    assert found.shapes["b"] == found.shapes["W"][1:]


TAPS = """\
y = k[0] * x[:, :-2] + k[1] * x[:, 1:-1] + k[2] * x[:, 2:]
J = 0.5 * np.sum((y - t) ** 2)
dy = y - t
dk = np.stack([np.sum(dy * x[:, :-2]), np.sum(dy * x[:, 1:-1]), np.sum(dy * x[:, 2:])])
"""


@pytest.mark.parametrize(
    ("more", "size"), [("", 3), ("n = len(k)", None), ("p = k[5]", None), ("q = k[x > 0]", None), ("p = k[3]", 4)]
)
def test_an_array_of_which_a_text_reads_single_entries_has_as_many(more: str, size: int | None) -> None:
    shape = read_text(TAPS + more).layout.shapes["k"]
    assert (shape[0] == size) is (size is not None)


def test_what_is_built_of_as_many_entries_holds() -> None:
    for text in (TAPS, TAPS.replace("stack", "array"), TAPS.replace("np.sum(dy * x[:, 2:])", "(dy * x[:, 2:]).sum()")):
        assert len(read_text(text).layout.shapes["k"]) == 1
    judged = verify_text(TAPS)
    assert judged is not None
    assert judged.summary.holds == judged.summary.judged == 2
