"""Last steps of every command that writes: report all problems, or apply the plan and check the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from rootfs_trust.errors import ApplyError, ConflictError, InputError, RootfsTrustError, Trouble
from rootfs_trust.rootfs.apply import apply
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import Desired, File, Owner, View
from rootfs_trust.rootfs.plan import Plan, make_plan
from rootfs_trust.rootfs.writable import unwritable
from rootfs_trust.x509 import private_key_form


def refuse(error: type[RootfsTrustError], troubles: Iterable[Trouble]) -> None:
    """Raise ``error`` with each problem once, if there are any."""
    once = dict.fromkeys(troubles)
    if once:
        raise error(*once)


def secrets(desired: Desired) -> Iterator[Trouble]:
    """Return a conflict for each file of ``desired`` that contains a private key."""
    for path, node in desired.items():
        if isinstance(node, File) and (form := _key_form(node.content)):
            message = f"would hold a private key ({form}), which every user could read"
            yield Trouble("conflict", path, message, "delete the key from the files that it is made from")


@lru_cache(maxsize=16)  # most of many trees get the same bundle
def _key_form(content: bytes) -> str:
    return private_key_form(content)


def carry_out(tree: Root, plan: Plan, desired: Desired, *, owner: Owner | None, timestamp: int | None) -> list[Trouble]:
    """Apply ``plan``, and check that nothing is left to do. A plan without actions touches nothing.

    Raises ConflictError before the first write if the tree cannot be written, or ApplyError.
    """
    if not plan.actions:
        return []
    refuse(ConflictError, unwritable(tree, plan))
    notes = apply(tree, plan, owner=owner, timestamp=timestamp)
    tree.forget()
    look_again(tree, desired)
    return notes


def look_again(view: View, desired: Desired) -> None:
    """Plan again after writing. Raises ApplyError if anything is left to do."""
    try:
        left = make_plan(view, desired, will_be_signed=True).actions
    except InputError as error:
        where, what = error.troubles[0].path, error.troubles[0].message
        message = f"all changes are written, but the result could not be checked: {what}"
        raise ApplyError(Trouble("apply", where, message, "fix the cause and run the same command again")) from error
    hint = "does another program write into the rootfs at the same time?"
    refuse(ApplyError, [Trouble("apply", each.path, "changed right after it was written", hint) for each in left[:1]])
