"""The table of hostile items: one function each, registered under its name and kind.

=============  ==============================================================  =====================================
kind           what the function makes                                         signature
=============  ==============================================================  =====================================
tree           a root filesystem: it changes the one of the world              ``(world, random) -> None``
image          an image or an archive                                          ``(world, random) -> path``
certificate    files that ``--cert``, ``--chain`` or a source directory gets   ``(random) -> {name: bytes}``
config         rootfs-trust.toml, fleet.toml and what they name                ``(world, random) -> words``
options        a command line with hostile values                              ``(world, random) -> words``
condition      what is wrong with the process or the disk, not with the input  ``(world, random) -> Setup``
=============  ==============================================================  =====================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KINDS = ("tree", "image", "certificate", "config", "options", "condition")


@dataclass(frozen=True)
class Item:
    """``family``: the only layout that the item is for; ``rounds``: how many different seeds a sample tries."""

    kind: str
    name: str
    make: Callable[..., Any]
    family: str = ""
    rounds: int = 1


ITEMS: dict[str, Item] = {}


def _register(kind: str) -> Callable[..., Any]:
    def decorator(*, family: str = "", rounds: int = 1) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            name = function.__name__.replace("_", "-").strip("-")
            if name in ITEMS:
                raise ValueError(f"two items are called {name}")
            ITEMS[name] = Item(kind, name, function, family, rounds)
            return function

        return register

    return decorator


tree, image, certificate, config, options, condition = map(_register, KINDS)
