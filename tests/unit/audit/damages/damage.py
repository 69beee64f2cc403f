"""Ways to damage a good tree, each with the ids of what has to be found, and nothing else.

The first id is the damage; what follows are its consequences, which another client or tool suffers from the same cause.
Files of the trees are written by name under the tree's own directory; no link in them is ever followed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.unit.audit.good_tree import (
    GoodTree,
)


@dataclass(frozen=True)
class Damage:
    """``asked`` are options of ``check``, ``policy`` and ``config`` parts of its config; ``family`` is the layout.

    ``root_data`` is a table of public roots to use instead of the package's.
    """

    do: Callable[[GoodTree], object]
    ids: tuple[str, ...]
    family: str = "yocto"
    asked: dict[str, object] = field(default_factory=dict)
    policy: str = ""
    config: str = ""
    clouds: tuple[str, ...] = ("c8y",)
    root_data: dict[str, object] | None = None

    @property
    def name(self) -> str:
        return self.do.__name__.replace("_", " ").strip()


DAMAGES: list[Damage] = []


def damage(*ids: str, **options) -> Callable[[Callable[[GoodTree], object]], Callable[[GoodTree], object]]:
    def register(do: Callable[[GoodTree], object]) -> Callable[[GoodTree], object]:
        DAMAGES.append(Damage(do, ids, **options))
        return do

    return register
