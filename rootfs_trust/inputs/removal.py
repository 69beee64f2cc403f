"""Parse the arguments of ``remove`` and ``image --without``: names of anchors, and selections of certificates."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from rootfs_trust.errors import USAGE, InputError, Problem, refuse
from rootfs_trust.inputs.selection_text import FILE, SPKI, digest, selection
from rootfs_trust.store.selection import DIGEST, Selection


class Removal(NamedTuple):
    """The certificates to remove or distrust."""

    names: tuple[str, ...] = ()
    """Names of anchors, or ``sha256:`` with lower-case hexadecimal digits."""
    selections: tuple[Selection, ...] = ()
    named: Mapping[str, Selection] = {}
    """The certificates that each name selects in the root data. It is used if no anchor of the rootfs has the name."""
    known: tuple[str, ...] = ()
    """Every name in the root data, for suggestions; empty if no name was given."""

    def __bool__(self) -> bool:
        """Return whether there is anything to remove."""
        return bool(self.names or self.selections)

    def without(self, arguments: Collection[str]) -> Removal:
        """Return the removal without the given arguments."""
        names = tuple(each for each in self.names if each not in arguments)
        selections = tuple(each for each in self.selections if each.text not in arguments)
        return self._replace(names=names, selections=selections)


NOTHING = Removal()


def read_removal(arguments: Sequence[str], root_data: str | None) -> Removal:
    """Parse ``arguments``. ``root_data`` is the table of public roots; None means the table of the package.

    Raises InputError with every mistake.
    """
    if not arguments:
        return NOTHING
    from rootfs_trust.inputs.root_data import load_root_data
    from rootfs_trust.inputs.selections import Resolver, known_names, named_selections

    problems = list(_bad_digests(arguments))
    refuse(InputError, problems)
    resolver = Resolver(os.curdir, lambda: load_root_data(root_data))
    asked = [each for each in arguments if each.startswith((SPKI, FILE))]
    selections = tuple(resolver(selection(each))._replace(required=True) for each in asked)
    refuse(InputError, resolver.problems)
    names = tuple(plain_name(each) for each in arguments if each not in asked)
    by_name = [each for each in names if not each.startswith(DIGEST)]
    if not by_name:
        return Removal(names, selections)
    data = load_root_data(root_data)
    return Removal(names, selections, named_selections(data, by_name), tuple(known_names(data)))


def _bad_digests(arguments: Iterable[str]) -> Iterable[Problem]:
    """Yield the problems of arguments that begin with ``sha256:`` or ``spki:``."""
    for each in arguments:
        if each.startswith((DIGEST, SPKI)):
            try:
                selection(each)
            except ValueError as error:
                yield USAGE("", f"{each} must have {error}", "rootfs-trust list shows them")


def plain_name(name: str) -> str:
    """Return a digest in the spelling that the store uses, any other name unchanged."""
    return f"{DIGEST}{digest(name)}" if name.startswith(DIGEST) else name
