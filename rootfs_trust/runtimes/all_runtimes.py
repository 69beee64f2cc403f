"""All runtimes, and the combined plan of the requested ones."""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.errors import RUNTIME_MISSING
from rootfs_trust.runtimes import castore, certifi, chromium, environment, firefox, java, mono, node
from rootfs_trust.runtimes.names import AUTO
from rootfs_trust.runtimes.request import Runtime, RuntimePlan, RuntimeRequest, RuntimeTree

RUNTIMES: tuple[Runtime, ...] = (java, certifi, node, chromium, firefox, castore, mono, environment)
"""All runtimes, in the order of :data:`~rootfs_trust.runtimes.names.NAMES`."""


def plan_of_runtimes(
    tree: RuntimeTree, names: Sequence[str], request: RuntimeRequest, *, optional: bool = False
) -> RuntimePlan:
    """Return the combined plan of the runtimes ``names``. Unless ``optional``, a missing one is an error."""
    plan = RuntimePlan()
    for runtime in RUNTIMES:
        there = runtime.present(tree)
        named = runtime.NAME in names
        if not there and named and not optional and runtime is not environment:
            message = f"the root filesystem has no trust store of {runtime.NAME}"
            plan.problems.append(RUNTIME_MISSING("", message, f"leave {runtime.NAME} out, or use auto"))
        elif (named and (there or not optional)) or (there and AUTO in names):
            found = runtime.plan(tree, request._replace(all_variables=named))
            plan.merge(found)
            plan.variables |= found.variables
    return plan
