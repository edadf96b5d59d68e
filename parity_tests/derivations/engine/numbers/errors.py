"""What a kind of number says where it has no rule for an operation."""

from __future__ import annotations


class NotFollowed(TypeError):  # noqa: N818  (the name says it)
    """An operation that a referee cannot follow: it refuses instead of giving a derivative it does not know."""

    def __init__(self, operation: str) -> None:
        super().__init__(f"{operation} is not known to the referees")
        self.operation = operation
