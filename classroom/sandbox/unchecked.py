"""In place of what checks students' work, where it is graded: it does nothing and knows nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Nothing:
    """What a check gives: it can be called, asked, compared and printed, and says nothing."""

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> Nothing:
        return self

    def __getitem__(self, _: object) -> Nothing:
        return self

    def __iter__(self) -> Iterator[Nothing]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __float__(self) -> float:
        return 0.0

    def _holds(self, _: object) -> bool:
        return True

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _holds
    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return ""

    __repr__ = __str__

    def __format__(self, _: str) -> str:
        return ""


def __getattr__(name: str) -> Any:
    if name.startswith(("__", "pytest")):
        raise AttributeError(name)
    return type(name, (Exception,), {}) if name.endswith("Error") else Nothing()
