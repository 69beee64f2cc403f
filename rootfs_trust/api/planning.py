"""Plan a run on a tree or image: layout, trust store, settings, and the list of actions. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.api.apply_plan import secrets
from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.may_lose import may_lose, replaced_certificates
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.seen_by_clients import seen_by_clients
from rootfs_trust.api.unmaintained_directories import anchors_not_there
from rootfs_trust.clients.table import JAVA_STORES
from rootfs_trust.errors import CONFLICT, DISTRUSTED, USAGE, ConflictError, InputError, Problem, refuse
from rootfs_trust.inputs.anchors import InputAnchors, gather, gather_roots
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.inputs.constraints import Fence, host_names
from rootfs_trust.inputs.files import InputRecord
from rootfs_trust.inputs.removal import NOTHING, Removal, read_removal
from rootfs_trust.inputs.templates import Template, read_templates
from rootfs_trust.layouts.detect import find_layout
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.outcome import InstalledAnchor, Outcome
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.ostree import USR_ETC, has_etc_in_usr
from rootfs_trust.rootfs.plan import Plan, make_plan
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Desired, File, View
from rootfs_trust.runtimes.names import checked_names
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.checksum_files import updated_checksum_files
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.renewal import with_kept_names
from rootfs_trust.store.selection import RootProgram, selected
from rootfs_trust.store.store_plan import Request, StorePlan

_PERMITTED = "in rootfs-trust.toml, the key permitted of an [[anchor]] does the same"


class Job(NamedTuple):
    """A request with all its files read. The same job can be applied to many trees."""

    options: InstallOptions
    config: Config
    gathered: InputAnchors
    templates: tuple[Template, ...] = ()
    runtimes: tuple[str, ...] = ()
    """Names of runtimes, or ``auto``."""
    java_passwords: tuple[str, ...] = ()
    removal: Removal = NOTHING
    program: RootProgram | None = None

    @property
    def used(self) -> tuple[InputRecord, ...]:
        """All files on the host that were read to create the job."""
        return (*self.config.used, *self.gathered.used, *(each.used for each in self.templates))

    @property
    def clouds(self) -> tuple[str, ...]:
        """The requested clouds without profiles and duplicates: ``aws``, ``az`` or ``c8y``."""
        asked = [*(cloud.kind for cloud in self.config.clouds), *self.options.clouds_without_profiles]
        return tuple(dict.fromkeys(asked))


class Decision(NamedTuple):
    """The planned change of one tree. It has no conflicts."""

    layout: Layout
    store: StorePlan
    desired: Desired
    plan: Plan
    warnings: tuple[Problem, ...]
    variables: Mapping[str, str]
    """Variables to set in the config of a container image. Empty for a root filesystem, where files set them."""
    unset: Mapping[str, str]
    """Variables of an earlier run to delete from that config."""

    def outcome(self, notes: list[Problem], *, dry_run: bool) -> Outcome:
        """Return the result for the caller. ``notes`` are warnings from writing."""
        installed = tuple(map(InstalledAnchor.of, self.store.installed))
        return Outcome(self.layout.name, self.plan.actions, installed, (*self.warnings, *notes), dry_run)


def read_job(options: InstallOptions) -> Job:
    """Read the config, and the certificates and templates that it and ``options`` name.

    Raises InputError for a wrong config. Problems with the other files are in the job.
    """
    config = load_config(options.config, options.root_data)
    at = options.at or utc_now()
    gathered = gather(options.certs, config.anchors, options.replace, config.policy, at, _fence(options))
    removal = read_removal(options.without, options.root_data)
    if config.store.roots is not None:
        gather_roots(gathered, config.store.roots, at)
    templates, problems = read_templates(config.renders)
    gathered.problems += problems
    use = config.runtimes.use if options.runtimes is None else options.runtimes
    passwords: tuple[str, ...] = ()
    if config.runtimes.java_password_file is not None:
        from rootfs_trust.inputs.java_password import java_password

        passwords = (java_password(config.runtimes.java_password_file),)
    program = _program(config, options.root_data, at)
    return Job(options, config, gathered, tuple(templates), checked_names(use), passwords, removal, program)


def _program(config: Config, root_data: str | None, at: datetime) -> RootProgram | None:
    if config.store.program is None:
        return None
    from rootfs_trust.inputs.root_data import load_root_data
    from rootfs_trust.inputs.selections import program

    return program(config.store.program, load_root_data(root_data), at)


def _fence(options: InstallOptions) -> Fence:
    """Parse the names of ``--permit``. Raises InputError."""
    if options.permit and not options.certs:
        raise InputError(USAGE("", "--permit constrains the CA of --cert, but --cert is not given", _PERMITTED))
    try:
        return Fence(permitted=tuple(map(host_names, options.permit)))
    except ValueError as error:
        raise InputError(USAGE("", f"--permit takes {error}", _PERMITTED)) from error


def decide(
    view: View,
    job: Job,
    lock: Callable[[str], None] | None = None,
    configured: Mapping[str, str] | None = None,
) -> Decision:
    """Plan the change of the tree ``view`` that ``job`` requests.

    ``lock`` is called with the hash directory before it is read. ``configured`` are the variables in the config of a
    container image; None for a root filesystem. Raises InputError or ConflictError with every problem.
    """
    device = Device(view)
    layout = layout_for(device, job)
    if lock is not None:
        lock(layout.hash_directory)
    anchors, unconstrained = with_kept_names(view, layout, job.gathered.anchors)
    request = _request(job, anchors)
    request, store, gone = _store(device, layout, request)
    _keystores(device, layout, request, store, job)
    store.desired |= updated_checksum_files(view, store.desired)
    agent = _agent(device, job, layout, store)
    gathered = job.gathered
    runtimes = _runtimes(device, job, layout, store, configured)
    refuse(
        InputError,
        [*gathered.problems, *_anchors_also_distrusted(job), *store.problems, *agent.problems, *runtimes.problems],
    )
    desired = {**store.desired, **agent.desired, **runtimes.desired}
    plan = make_plan(view, desired, will_be_signed=job.options.will_be_signed)
    conflicts = [*unconstrained, *store.conflicts, *agent.conflicts, *_overlap(store.desired, agent.desired)]
    refuse(ConflictError, [*conflicts, *runtimes.conflicts, *plan.conflicts])
    finished = Device(PlannedTree(device, desired))
    if gone:
        from rootfs_trust.api.trust_change import what_keeps

        keeping = what_keeps(device, finished, gone)
        refuse(ConflictError, keeping.conflicts)
        store.warnings += keeping.warnings
    replaced = _replaced(view, layout, request, plan)
    if not request.only and may_lose(view, plan, replaced):
        from rootfs_trust.api.trust_change import lost

        refuse(ConflictError, lost(device, layout, request, store, finished, replaced))
    if replaced:
        from rootfs_trust.api.trust_change import still_trusted

        store.warnings += still_trusted(finished, replaced)
    refuse(ConflictError, secrets(desired))
    fences, warnings = seen_by_clients(finished, store.installed)
    store.warnings += anchors_not_there(view, layout, store.desired, store.installed)
    refuse(ConflictError, fences)
    if job.templates:
        refuse(ConflictError, _conflicting_agent_files(device, layout, store, agent, created=job.options.timestamp))
    notes = (*gathered.notes, *store.warnings, *warnings, *agent.warnings, *runtimes.warnings)
    return Decision(layout, store, desired, plan, notes, runtimes.variables, runtimes.unset)


def layout_for(device: Device, job: Job) -> Layout:
    """Return the layout that ``job`` names, or that of the tree. Raises InputError or ConflictError."""
    refuse(ConflictError, _without_etc(device.view))
    return find_layout(device, job.options.layout or job.config.store.layout)


def _store(device: Device, layout: Layout, request: Request) -> tuple[Request, StorePlan, frozenset[str]]:
    """Return the request with digests for its selections, the plan of the trust store, and the SHA-256 that no client
    may trust afterwards.
    """
    if request.selections or request.known:
        from rootfs_trust.api.trust_change import with_digests_of_clients

        request = with_digests_of_clients(device, request)
    store = plan_store(layout, device.view, request)
    if not (request.remove or request.distrust or request.selections or store.removed or store.selected):
        return request, store, frozenset()
    from rootfs_trust.api.trust_change import without_trust

    return request, *without_trust(device, layout, request, store)


def _replaced(view: View, layout: Layout, request: Request, plan: Plan) -> frozenset[str]:
    """Return the SHA-256 of the certificates that the request replaces and does not install under another name."""
    if not any(anchor.replace for anchor in request.anchors):
        return frozenset()
    installed = {anchor.certificate.sha256 for anchor in request.anchors}
    return replaced_certificates(view, plan, layout.local) - installed


def _without_etc(view: View) -> Iterator[Problem]:
    """Return a conflict for an OSTree tree: `ostree commit` and bootc refuse /etc next to /usr/etc."""
    if has_etc_in_usr(view):
        message = "is what OSTree creates /etc from, but /etc does not exist; install would create it"
        hint = "run rootfs-trust before the build moves /etc to /usr/etc, or in the container that bootc builds from"
        yield CONFLICT(USR_ETC, message, hint)


def _overlap(store: Desired, agent: Desired) -> Iterator[Problem]:
    """Return a conflict for each path that both the store and an agent would write, perhaps through a link."""
    for path in agent:
        if path in store and store[path] != agent[path]:
            message = "belongs to the trust store, but the settings of an agent would also be written there"
            yield CONFLICT(path, message, "delete the link through which the agent's file would be written there")


def _conflicting_agent_files(
    device: Device, layout: Layout, store: StorePlan, agent: StorePlan, *, created: int | None
) -> list[Problem]:
    """Return a conflict for each agent's file in a directory of the trust store.

    Such a file would be a source of the next run, or get a hash link, so that a second run would change the tree.
    """

    def next_run(files: Desired) -> list[str]:
        tree = PlannedTree(device, {**store.desired, **files})
        again = plan_store(layout, tree, Request(created=created))
        if again.problems or again.conflicts:
            return [each.path for each in (*again.problems, *again.conflicts)]
        plan = make_plan(tree, again.desired)
        return [each.path for each in (*plan.actions, *plan.conflicts)]

    if not next_run(agent.desired) or next_run({}):
        return []
    hint = "choose a path outside the directories of the trust store"
    return [
        CONFLICT(path, f"would be part of the trust store: a second run would change {changed[0]}", hint)
        for path, node in agent.desired.items()
        if (changed := next_run({path: node}))
    ]


def _anchors_also_distrusted(job: Job) -> Iterator[Problem]:
    """Return a problem for each anchor that the config both installs and distrusts."""
    config = job.config
    for anchor in job.gathered.anchors:
        if selected(config.store.distrust, anchor.certificate):
            message = f"sha256 {anchor.certificate.sha256} is an anchor, but {config.path} distrusts it"
            yield DISTRUSTED(anchor.where, message)


def _request(job: Job, anchors: list[Anchor]) -> Request:
    options, config, gathered = job.options, job.config, job.gathered
    return Request(
        tuple(anchors),
        options.adopt,
        options.drop_unsourced,
        remove=job.removal.names,
        selections=(*job.removal.selections, *config.store.distrust),
        named=job.removal.named,
        known=job.removal.known,
        program=job.program,
        only=config.store.base == "none",
        presets=job.clouds,
        roots=tuple(gathered.roots),
        at=options.at or utc_now(),
        created=options.timestamp,
    )


def _keystores(device: Device, layout: Layout, request: Request, store: StorePlan, job: Job) -> None:
    if any(device.view.kind(path) is File for path in JAVA_STORES):
        from rootfs_trust.api.system_java import add_system_keystores

        add_system_keystores(device, layout, request, store, job.java_passwords)


def _runtimes(
    device: Device, job: Job, layout: Layout, store: StorePlan, configured: Mapping[str, str] | None
) -> RuntimePlan:
    if not (job.runtimes or store.removed):
        return RuntimePlan()
    from rootfs_trust.api.runtimes import ask_runtimes

    request = RuntimeRequest(
        removed=frozenset(store.selected),
        java_passwords=job.java_passwords,
        created=job.options.timestamp,
    )
    return ask_runtimes(device, layout, store, job.runtimes, request, configured)


def _agent(device: Device, job: Job, layout: Layout, store: StorePlan) -> StorePlan:
    options, config = job.options, job.config
    if not (config.clouds or config.renders or options.clouds or options.set or options.set_at_run_time):
        return StorePlan()
    from rootfs_trust.api.thin_edge_settings import ask_agents

    return ask_agents(device, options, config, layout, store, job.templates, job.clouds)
