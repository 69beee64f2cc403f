"""``install``: anchors into a rootfs, its trust store written, thin-edge.io pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from rootfs_trust.agents.answer import AgentAnswer
from rootfs_trust.api.carry_out import carry_out, refuse
from rootfs_trust.api.options import NO_OPTIONS, InstallOptions
from rootfs_trust.errors import ConflictError, InputError, Trouble
from rootfs_trust.inputs.anchors import Gathered, gather, gather_roots
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.outcome import InstalledAnchor, Outcome
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.store.detect import find_layout
from rootfs_trust.store.layout import Layout
from rootfs_trust.store.request import Answer, Request


def install(root: str, options: InstallOptions = NO_OPTIONS) -> Outcome:
    """Install anchors into the rootfs at the host path ``root``, and the settings that use them.

    Raises InputError, ConflictError (both: nothing was written) or ApplyError.
    """
    config = load_config(options.config)
    with Root(root) as tree:
        tree.lock()
        layout = find_layout(tree, options.layout or config.store.layout)
        gathered = _gather(options, config)
        store = layout.answer(tree, _request(options, config, gathered))
        agent = _agent(tree, options, config, layout, store)
        refuse(InputError, [*gathered.troubles, *_both_ways(gathered, config), *store.troubles, *agent.troubles])
        desired = {**store.desired, **agent.desired}
        todo = make_plan(tree, desired, will_be_signed=options.will_be_signed)
        refuse(ConflictError, [*store.conflicts, *agent.conflicts, *todo.conflicts])
        warnings = [*gathered.notes, *store.warnings, *agent.warnings]
        if not options.dry_run:
            warnings += carry_out(tree, todo, desired, owner=tree.owner, timestamp=options.timestamp)
    return Outcome(layout.name, todo.actions, _installed(store), tuple(warnings), options.dry_run)


def plan(root: str, options: InstallOptions = NO_OPTIONS) -> Outcome:
    """What :func:`install` would do; nothing is written. Raises the same errors."""
    return install(root, replace(options, dry_run=True))


def _gather(options: InstallOptions, config: Config) -> Gathered:
    at = options.at or datetime.now(UTC)
    gathered = gather(options.certs, config.anchors, options.replace, config.policy, at)
    if config.store.roots is not None:
        gather_roots(gathered, config.store.roots, at)
    return gathered


def _both_ways(gathered: Gathered, config: Config) -> Iterator[Trouble]:
    """Anchors that the same config distrusts."""
    for anchor in gathered.anchors:
        if anchor.certificate.sha256 in config.store.distrust:
            message = f"sha256 {anchor.certificate.sha256} is given as an anchor, and {config.path} distrusts it"
            yield Trouble("distrusted", anchor.where, message, "decide for one of them")


def _clouds(options: InstallOptions, config: Config) -> tuple[str, ...]:
    """The kinds of cloud that are asked for, without their profiles, each once."""
    return tuple(dict.fromkeys([*(cloud.kind for cloud in config.clouds), *options.clouds_without_profiles]))


def _request(options: InstallOptions, config: Config, gathered: Gathered) -> Request:
    return Request(
        tuple(gathered.anchors),
        options.adopt,
        options.drop_unsourced,
        distrust=frozenset(config.store.distrust),
        only=config.store.base == "none",
        presets=_clouds(options, config),
        roots=tuple(gathered.roots),
        created=options.timestamp,
    )


def _agent(tree: Root, options: InstallOptions, config: Config, layout: Layout, store: Answer) -> AgentAnswer:
    if not (config.clouds or config.renders or options.clouds or options.set or options.set_at_run_time):
        return AgentAnswer()
    from rootfs_trust.api.agents import ask_agents

    return ask_agents(tree, options, config, layout, store, _clouds(options, config))


def _installed(store: Answer) -> tuple[InstalledAnchor, ...]:
    return tuple(InstalledAnchor(each.name, each.certificate.sha256) for each in store.installed)
