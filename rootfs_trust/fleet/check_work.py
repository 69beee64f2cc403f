"""Checks a batch of targets on a worker, for ``fleet --check``. A worker evaluates trees with the same content only
once.
"""

from __future__ import annotations

import functools
import os

from rootfs_trust import __version__
from rootfs_trust.api.check import question_of
from rootfs_trust.api.open_tree import open_view
from rootfs_trust.audit.check import findings, inspect
from rootfs_trust.audit.checks.servers import SERVER_UNJUDGED
from rootfs_trust.audit.findings import LEVELS, Finding
from rootfs_trust.audit.servers import ServerResult, judge_servers
from rootfs_trust.audit.who_trusts import Trusting, who_trusts
from rootfs_trust.errors import USAGE, InputError, RootfsTrustError, refuse
from rootfs_trust.fleet.check_inputs import Watcher, is_unchanged
from rootfs_trust.fleet.messages import FAILED, FINDINGS, OK, Batch, CheckOrder, CheckResult, CheckTask, ServerState
from rootfs_trust.inputs.config import load_config
from rootfs_trust.inputs.root_data import load_root_data
from rootfs_trust.inputs.selection_text import selection
from rootfs_trust.inputs.selections import Resolver
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.result_cache import CachedResult
from rootfs_trust.rootfs.view import View
from rootfs_trust.store.selection import Selection


def run_check_batch(batch: Batch[CheckTask]) -> list[CheckResult]:
    """Return the results of a batch, in the order of its tasks. Write nothing."""
    if batch.version != __version__:
        error = f"the worker has rootfs-trust {__version__}, not {batch.version}"
        return [lost(task, error) for task in batch.tasks]
    return list(map(_checked, batch.tasks))


def lost(task: CheckTask, error: str) -> CheckResult:
    """Return the result of a task whose workers died."""
    return CheckResult(task.name, FAILED, error=error)


def resolve_who(text: str, root_data: str | None) -> Selection:
    """Return the certificates that ``--who-trusts`` selects. Raises InputError."""
    try:
        chosen = selection(text)
    except ValueError as error:
        raise InputError(USAGE("", f"--who-trusts {text}: expected {error}", "pass the complete value")) from error
    resolver = Resolver(os.curdir, lambda: load_root_data(root_data))
    resolved = resolver(chosen)
    refuse(InputError, resolver.problems)
    return resolved


def _checked(task: CheckTask) -> CheckResult:
    try:
        if task.done is not None and is_unchanged(task):
            return task.done._replace(done=None)
        if not task.order.policy:
            with open_view(task.path, task.states) as view:
                return _result(task, view)
        watcher = Watcher(task)
        with open_view(task.path, task.states, watcher) as view:
            result = _result(task, view)
            return result._replace(done=watcher.entry())
    except Exception as error:  # a bug that one tree triggers must not stop the checks of the others
        text = str(error) if isinstance(error, RootfsTrustError | OSError) else f"a defect: {error!r}"
        return lost(task, text)


def _result(task: CheckTask, view: View) -> CheckResult:
    if task.order.who is not None:
        trusting = _who(task.order)(view)
        return CheckResult(task.name, FINDINGS if trusting else OK, trusted_by=trusting)
    # A check asks which files come from a device state, which a view cannot record.
    look = _find(task.order)
    found, servers = look.function(view) if task.states else look(view)
    return CheckResult(task.name, FINDINGS if found else OK, found, servers)


@functools.cache
def _who(order: CheckOrder) -> CachedResult[tuple[Trusting, ...]]:
    chosen = resolve_who(order.who or "", order.root_data)
    return CachedResult(lambda view: who_trusts(view, chosen))


@functools.cache
def _find(order: CheckOrder) -> CachedResult[tuple[tuple[Finding, ...], tuple[ServerState, ...]]]:
    data = load_root_data(order.root_data)
    question = question_of(load_config(order.config, order.root_data), order.at, data)
    counted = LEVELS[: LEVELS.index(order.level) + 1]

    def found(view: View) -> tuple[tuple[Finding, ...], tuple[ServerState, ...]]:
        all_findings = findings(inspect(view, question))
        judged = question.servers and not any(each.id == SERVER_UNJUDGED.id for each in all_findings)
        results = judge_servers(Device(view), question.servers, order.at) if judged else ()
        return tuple(each for each in all_findings if each.level in counted), tuple(map(_state, results))

    return CachedResult(found)


def _state(result: ServerResult) -> ServerState:
    refusing = (each.verdict.client for each in result.clients if not each.verdict.trusted)
    return ServerState(result.server.name, result.trusted_until, tuple(refusing), result.server.refused)
