"""The verbs, as functions. The only place where the clock is read; everything below is given the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rootfs_trust.agents.settings import Setting, cloud_settings, parse_setting
from rootfs_trust.agents.thin_edge import thin_edge
from rootfs_trust.errors import ApplyError, ConflictError, InputError, RootfsTrustError, Trouble
from rootfs_trust.inputs.anchors import gather
from rootfs_trust.inputs.config import CloudTable, Config, load_config
from rootfs_trust.outcome import InstalledAnchor, Outcome
from rootfs_trust.rootfs.apply import apply
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import Desired
from rootfs_trust.rootfs.plan import Plan, make_plan
from rootfs_trust.store.debian import debian_store
from rootfs_trust.store.layout import Layout, find_layout
from rootfs_trust.store.request import Request


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """The options of ``install``, as the command line has them."""

    certs: Sequence[str] = ()
    clouds: Sequence[str] = ()
    config: str | None = None
    layout: str | None = None
    set: Sequence[str] = ()
    set_at_run_time: Sequence[str] = ()
    replace: Sequence[str] = ()
    at: datetime | None = None
    timestamp: int | None = None
    adopt: bool = False
    drop_unsourced: bool = False
    will_be_signed: bool = False
    dry_run: bool = False


def install(root: str, options: InstallOptions = InstallOptions()) -> Outcome:
    """Install anchors into the rootfs at the host path ``root``, and the settings that use them.

    Raises InputError, ConflictError (both: nothing was written) or ApplyError.
    """
    config = load_config(options.config)
    with Root(root) as tree:
        tree.lock()
        layout = find_layout(tree, options.layout or config.store.layout)
        gathered = gather(
            options.certs, config.anchors, options.replace, config.policy, options.at or datetime.now(UTC)
        )
        request = Request(tuple(gathered.anchors), options.adopt, options.drop_unsourced)
        answer = debian_store(tree, layout, request)
        agent = thin_edge(tree, _settings(options, config, layout), answer.desired)
        _refuse(InputError, [*gathered.troubles, *agent.troubles])
        desired = {**answer.desired, **agent.desired}
        plan = make_plan(tree, desired, will_be_signed=options.will_be_signed)
        _refuse(ConflictError, [*answer.conflicts, *agent.conflicts, *plan.conflicts])
        warnings = [*gathered.notes, *answer.warnings, *agent.warnings]
        if plan.actions and not options.dry_run:
            warnings += _carry_out(tree, plan, desired, options.timestamp)
    installed = tuple(InstalledAnchor(each.name, each.certificate.sha256) for each in answer.installed)
    return Outcome(layout.name, plan.actions, installed, tuple(warnings), options.dry_run)


def _refuse(error: type[RootfsTrustError], troubles: list[Trouble]) -> None:
    if troubles:
        raise error(*dict.fromkeys(troubles))


def _carry_out(tree: Root, plan: Plan, desired: Desired, timestamp: int | None) -> list[Trouble]:
    """Apply ``plan``, and look again: nothing may be left to do."""
    notes = apply(tree, plan, timestamp=timestamp)
    left = make_plan(tree, desired, will_be_signed=True).actions
    if left:
        raise ApplyError(
            Trouble(
                "apply",
                left[0].path,
                "is not as it was just written",
                "does another program write into the rootfs at the same time?",
            )
        )
    return notes


def _settings(options: InstallOptions, config: Config, layout: Layout) -> Iterable[Setting]:
    yield from _of_config(config.clouds, layout)
    for cloud in options.clouds:
        yield from cloud_settings(cloud, layout.hash_directory)
    yield from (parse_setting(text) for text in options.set)
    yield from (parse_setting(text, at_run_time=True) for text in options.set_at_run_time)


def _of_config(clouds: Iterable[CloudTable], layout: Layout) -> Iterator[Setting]:
    for cloud in clouds:
        name = cloud.kind if cloud.profile is None else f"{cloud.kind}@{cloud.profile}"
        for setting in cloud_settings(name, layout.hash_directory, at_run_time=cloud.at_run_time):
            if cloud.root_cert_path is not None and setting.key.endswith(".root_cert_path"):
                yield Setting(setting.key, cloud.root_cert_path, cloud.at_run_time)
            else:
                yield setting
