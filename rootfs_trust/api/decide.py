"""What a run would do to a tree, whatever holds it: layout, store, settings, and the plan. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from rootfs_trust.agents.answer import AgentAnswer
from rootfs_trust.api.carry_out import refuse
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.errors import ConflictError, InputError, Trouble
from rootfs_trust.inputs.anchors import Gathered, gather, gather_roots
from rootfs_trust.inputs.config import Config, load_config
from rootfs_trust.inputs.files import UsedFile
from rootfs_trust.inputs.templates import Template, read_templates
from rootfs_trust.outcome import InstalledAnchor, Outcome
from rootfs_trust.rootfs.nodes import Desired, View
from rootfs_trust.rootfs.plan import Plan, make_plan
from rootfs_trust.store.detect import find_layout
from rootfs_trust.store.layout import Layout
from rootfs_trust.store.request import Answer, Request


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for, its files read: the same for every tree that it is done to."""

    options: InstallOptions
    config: Config
    gathered: Gathered
    templates: tuple[Template, ...] = ()

    @property
    def used(self) -> tuple[UsedFile, ...]:
        """Every file of the host that was read."""
        return (*self.config.used, *self.gathered.used, *(each.used for each in self.templates))

    @property
    def clouds(self) -> tuple[str, ...]:
        """The kinds of cloud that are asked for, without their profiles, each once."""
        asked = [*(cloud.kind for cloud in self.config.clouds), *self.options.clouds_without_profiles]
        return tuple(dict.fromkeys(asked))


@dataclass(frozen=True, slots=True)
class Decision:
    """What has to be done to one tree; nothing stands against it."""

    layout: Layout
    store: Answer
    desired: Desired
    plan: Plan
    warnings: tuple[Trouble, ...]

    def outcome(self, notes: list[Trouble], *, dry_run: bool) -> Outcome:
        """What the caller is told, with the ``notes`` of the writing."""
        installed = tuple(InstalledAnchor(each.name, each.certificate.sha256) for each in self.store.installed)
        return Outcome(self.layout.name, self.plan.actions, installed, (*self.warnings, *notes), dry_run)


def read_job(options: InstallOptions) -> Job:
    """Read the config, and the certificates and templates that it and ``options`` name.

    Raises InputError for a config that is wrong; what is wrong with the other files is among the job's troubles.
    """
    config = load_config(options.config)
    at = options.at or datetime.now(UTC)
    gathered = gather(options.certs, config.anchors, options.replace, config.policy, at)
    if config.store.roots is not None:
        gather_roots(gathered, config.store.roots, at)
    templates, troubles = read_templates(config.renders)
    gathered.troubles += troubles
    return Job(options, config, gathered, tuple(templates))


def decide(view: View, job: Job) -> Decision:
    """What turns the tree of ``view`` into the one that ``job`` asks for.

    Raises InputError or ConflictError with all that stands against it.
    """
    layout = find_layout(view, job.options.layout or job.config.store.layout)
    store = layout.answer(view, _request(job))
    agent = _agent(view, job, layout, store)
    gathered = job.gathered
    refuse(InputError, [*gathered.troubles, *_both_ways(job), *store.troubles, *agent.troubles])
    desired = {**store.desired, **agent.desired}
    plan = make_plan(view, desired, will_be_signed=job.options.will_be_signed)
    refuse(ConflictError, [*store.conflicts, *agent.conflicts, *plan.conflicts])
    return Decision(layout, store, desired, plan, (*gathered.notes, *store.warnings, *agent.warnings))


def _both_ways(job: Job) -> Iterator[Trouble]:
    """Anchors that the same config distrusts."""
    config = job.config
    for anchor in job.gathered.anchors:
        if anchor.certificate.sha256 in config.store.distrust:
            message = f"sha256 {anchor.certificate.sha256} is given as an anchor, and {config.path} distrusts it"
            yield Trouble("distrusted", anchor.where, message, "decide for one of them")


def _request(job: Job) -> Request:
    options, config, gathered = job.options, job.config, job.gathered
    return Request(
        tuple(gathered.anchors),
        options.adopt,
        options.drop_unsourced,
        remove=tuple(options.without),
        distrust=frozenset(config.store.distrust),
        only=config.store.base == "none",
        presets=job.clouds,
        roots=tuple(gathered.roots),
        created=options.timestamp,
    )


def _agent(view: View, job: Job, layout: Layout, store: Answer) -> AgentAnswer:
    options, config = job.options, job.config
    if not (config.clouds or config.renders or options.clouds or options.set or options.set_at_run_time):
        return AgentAnswer()
    from rootfs_trust.api.agents import ask_agents

    return ask_agents(view, options, config, layout, store, job.templates, job.clouds)
