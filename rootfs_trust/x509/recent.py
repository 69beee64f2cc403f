"""Remember what was parsed last: a command meets the same certificate in many files, and reads a tree several times."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Recent(Generic[_Value]):
    """A mapping from bytes that forgets the least recently used ones once all keys have more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._values: OrderedDict[bytes, _Value] = OrderedDict()

    def get(self, key: bytes) -> _Value | None:
        """Return the value of ``key``, which counts as used now, or None."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: bytes, value: _Value) -> None:
        """Remember ``value``. A key that is longer than the limit is not kept."""
        if key in self._values or len(key) > self._limit:
            return
        self._values[key] = value
        self._size += len(key)
        while self._size > self._limit:
            self._size -= len(self._values.popitem(last=False)[0])
