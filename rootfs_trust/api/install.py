"""``install``: anchors into a rootfs, its trust store written, thin-edge.io pointed at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from rootfs_trust.agents.settings import Setting, cloud_settings, parse_setting
from rootfs_trust.agents.thin_edge import AgentAnswer, thin_edge
from rootfs_trust.api.carry_out import carry_out, refuse
from rootfs_trust.api.render import render_files
from rootfs_trust.errors import ConflictError, InputError, Trouble
from rootfs_trust.inputs.anchors import Gathered, gather, gather_roots
from rootfs_trust.inputs.config import CloudTable, Config, load_config
from rootfs_trust.outcome import InstalledAnchor, Outcome
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import Desired
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.store.detect import find_layout
from rootfs_trust.store.layout import Layout
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
    thin_edge: str = "auto"
    settings_as: str = "file"
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
        store = layout.answer(tree, _request(options, config, gathered))
        agent = _agent(tree, options, config, layout, store.desired)
        files = render_files(tree, layout, store, config.renders, _clouds(options, config))
        refuse(
            InputError,
            [*gathered.troubles, *_both_ways(gathered, config), *store.troubles, *agent.troubles, *files.troubles],
        )
        desired = {**store.desired, **agent.desired, **files.desired}
        todo = make_plan(tree, desired, will_be_signed=options.will_be_signed)
        refuse(ConflictError, [*store.conflicts, *agent.conflicts, *files.conflicts, *todo.conflicts])
        warnings = [*gathered.notes, *store.warnings, *agent.warnings]
        if not options.dry_run:
            warnings += carry_out(tree, todo, desired, owner=tree.owner, timestamp=options.timestamp)
    return Outcome(layout.name, todo.actions, _installed(store), tuple(warnings), options.dry_run)


def plan(root: str, options: InstallOptions = InstallOptions()) -> Outcome:
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
    clouds = [*(cloud.kind for cloud in config.clouds), *(cloud.partition("@")[0] for cloud in options.clouds)]
    return tuple(dict.fromkeys(clouds))


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


def _agent(tree: Root, options: InstallOptions, config: Config, layout: Layout, store: Desired) -> AgentAnswer:
    """The agent's answer; what of it cannot even be read is among the troubles that are refused together."""
    settings: list[Setting] = []
    troubles: list[Trouble] = []
    for read in _settings(options, config, layout):
        try:
            settings += read()
        except InputError as error:
            troubles += error.troubles
    try:
        environment = options.settings_as == "env"
        answer = thin_edge(tree, settings, store, options.thin_edge, as_environment=environment)
    except InputError as error:
        answer = AgentAnswer(troubles=list(error.troubles))
    answer.troubles = [*troubles, *answer.troubles]
    return answer


def _installed(store: Answer) -> tuple[InstalledAnchor, ...]:
    return tuple(InstalledAnchor(each.name, each.certificate.sha256) for each in store.installed)


def _settings(options: InstallOptions, config: Config, layout: Layout) -> Iterator[Callable[[], Iterable[Setting]]]:
    """Every place that asks for settings, to be read one by one: each may be wrong in its own way."""
    yield from (partial(_of_config, cloud, layout) for cloud in config.clouds)
    yield from (partial(_of_cloud, cloud, layout) for cloud in options.clouds)
    yield from (partial(_of_option, text, at_run_time=False) for text in options.set)
    yield from (partial(_of_option, text, at_run_time=True) for text in options.set_at_run_time)


def _of_option(text: str, *, at_run_time: bool) -> Iterator[Setting]:
    yield parse_setting(text, at_run_time=at_run_time)


def _of_config(cloud: CloudTable, layout: Layout) -> list[Setting]:
    name = cloud.kind if cloud.profile is None else f"{cloud.kind}@{cloud.profile}"
    path, at_run_time = cloud.root_cert_path, cloud.at_run_time
    try:
        return list(_of_cloud(name, layout, root_cert_path=path, at_run_time=at_run_time))
    except InputError as error:
        places = (replace(each, path=cloud.where, message=f"{cloud.key}: {each.message}") for each in error.troubles)
        raise InputError(*places) from error


def _of_cloud(
    cloud: str, layout: Layout, *, root_cert_path: str | None = None, at_run_time: bool = False
) -> Iterator[Setting]:
    """The settings of a cloud, set to the hash directory, or to the bundle where the layout has none.

    Without a folder there is nothing for the settings that take folders alone, and they stay unset.
    """
    place = layout.hash_directory or layout.bundle
    for setting in cloud_settings(cloud, place, root_cert_path=root_cert_path, at_run_time=at_run_time):
        if layout.hash_directory or setting.kind.takes != "folder":
            yield setting
