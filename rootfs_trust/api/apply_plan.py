"""Last steps of every command that writes: report all problems, or apply the plan and check the result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from rootfs_trust.errors import APPLY, CONFLICT, ApplyError, ConflictError, InputError, Problem, refuse
from rootfs_trust.rootfs.plan import Plan, make_plan
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Desired, File, Owner, View
from rootfs_trust.x509 import private_key_form


def secrets(desired: Desired) -> Iterator[Problem]:
    """Return a conflict for each file of ``desired`` that contains a private key."""
    for path, node in desired.items():
        if isinstance(node, File) and (form := _key_form(node.content)):
            message = f"would hold a private key ({form}), which every user could read"
            yield CONFLICT(path, message, "delete the key from the input files of this run")


@lru_cache(maxsize=16)  # cached: most trees of a fleet get the same bundle
def _key_form(content: bytes) -> str:
    return private_key_form(content)


def apply_and_verify(
    tree: RootDirectory, plan: Plan, desired: Desired, *, owner: Owner | None, timestamp: int | None
) -> list[Problem]:
    """Apply ``plan``, and check that nothing is left to do. A plan without actions touches nothing.

    Raises ConflictError before the first write if the tree cannot be written, or ApplyError.
    """
    if not plan.actions:
        return []
    from rootfs_trust.rootfs.apply import apply
    from rootfs_trust.rootfs.writable import unwritable

    refuse(ConflictError, unwritable(tree, plan))
    notes = apply(tree, plan, owner=owner, timestamp=timestamp)
    tree.forget()
    verify_written(tree, desired)
    return notes


def verify_written(view: View, desired: Desired) -> None:
    """Plan again after writing. Raises ApplyError if anything is left to do."""
    try:
        left = make_plan(view, desired, will_be_signed=True).actions
    except InputError as error:
        where, what = error.problems[0].path, error.problems[0].message
        cause = APPLY(where, f"the result could not be checked: {what}")
        raise ApplyError(cause, written="all changes are written") from error
    hint = "does another program write into the rootfs at the same time?"
    refuse(ApplyError, [APPLY(each.path, "changed right after it was written", hint) for each in left[:1]])


@contextmanager
def nothing_written(dest: str, copy: str = "") -> Iterator[None]:
    """Turn an ApplyError about a temporary copy into one that names ``dest`` and says that nothing was written.

    ``copy`` is the temporary file or directory with the image, which is deleted after an error.
    """
    try:
        yield
    except ApplyError as error:
        causes = (_of_a_copy(each, copy, dest) for each in error.causes)
        raise ApplyError(*causes, written="nothing was written") from error


def _of_a_copy(problem: Problem, copy: str, dest: str) -> Problem:
    where = "" if problem.path in (copy, dest) else f"{problem.path}: "
    return problem._replace(id=APPLY.id, path=dest, message=f"{where}{problem.message}")
