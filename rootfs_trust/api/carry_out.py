"""What every writing verb ends with: refuse as a whole, or apply the plan and look again."""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust.errors import ApplyError, InputError, RootfsTrustError, Trouble
from rootfs_trust.rootfs.apply import apply
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import Desired, Owner, View
from rootfs_trust.rootfs.plan import Plan, make_plan


def refuse(error: type[RootfsTrustError], troubles: Iterable[Trouble]) -> None:
    """Raise ``error`` with every trouble once, if there is any."""
    once = dict.fromkeys(troubles)
    if once:
        raise error(*once)


def carry_out(tree: Root, plan: Plan, desired: Desired, *, owner: Owner | None, timestamp: int | None) -> list[Trouble]:
    """Apply ``plan``, and look again: nothing may be left to do. A plan without actions touches nothing."""
    if not plan.actions:
        return []
    notes = apply(tree, plan, owner=owner, timestamp=timestamp)
    tree.forget()
    look_again(tree, desired)
    return notes


def look_again(view: View, desired: Desired) -> None:
    """Raise ApplyError if anything is left to do in a tree that was just written."""
    try:
        left = make_plan(view, desired, will_be_signed=True).actions
    except InputError as error:
        where, what = error.troubles[0].path, error.troubles[0].message
        message = f"everything is written, but it could not be looked at again: {what}"
        raise ApplyError(Trouble("apply", where, message, "mend the cause and run the same command again")) from error
    hint = "does another program write into the rootfs at the same time?"
    refuse(ApplyError, [Trouble("apply", each.path, "is not as it was just written", hint) for each in left[:1]])
