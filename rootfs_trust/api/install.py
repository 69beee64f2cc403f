"""``install``: anchors into a rootfs, its trust store written, thin-edge.io pointed at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rootfs_trust.agents.settings import Setting, cloud_settings, parse_setting
from rootfs_trust.agents.thin_edge import AgentAnswer, thin_edge
from rootfs_trust.api.carry_out import carry_out, refuse
from rootfs_trust.errors import ConflictError, InputError
from rootfs_trust.inputs.anchors import Gathered, gather
from rootfs_trust.inputs.config import CloudTable, Config, load_config
from rootfs_trust.outcome import InstalledAnchor, Outcome
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import Desired
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.store.debian import debian_store
from rootfs_trust.store.layout import Layout, find_layout
from rootfs_trust.store.request import Answer, Request


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
        gathered = _gather(options, config)
        store = debian_store(tree, layout, Request(tuple(gathered.anchors), options.adopt, options.drop_unsourced))
        agent = _agent(tree, options, config, layout, store.desired)
        refuse(InputError, [*gathered.troubles, *agent.troubles])
        desired = {**store.desired, **agent.desired}
        plan = make_plan(tree, desired, will_be_signed=options.will_be_signed)
        refuse(ConflictError, [*store.conflicts, *agent.conflicts, *plan.conflicts])
        warnings = [*gathered.notes, *store.warnings, *agent.warnings]
        if not options.dry_run:
            warnings += carry_out(tree, plan, desired, owner=tree.owner, timestamp=options.timestamp)
    return Outcome(layout.name, plan.actions, _installed(store), tuple(warnings), options.dry_run)


def _gather(options: InstallOptions, config: Config) -> Gathered:
    at = options.at or datetime.now(UTC)
    return gather(options.certs, config.anchors, options.replace, config.policy, at)


def _agent(tree: Root, options: InstallOptions, config: Config, layout: Layout, store: Desired) -> AgentAnswer:
    """The agent's answer; what it cannot even read is among the troubles that are refused together."""
    try:
        return thin_edge(tree, _settings(options, config, layout), store)
    except InputError as error:
        return AgentAnswer(troubles=list(error.troubles))


def _installed(store: Answer) -> tuple[InstalledAnchor, ...]:
    return tuple(InstalledAnchor(each.name, each.certificate.sha256) for each in store.installed)


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
