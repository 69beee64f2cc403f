"""``advise``: find the smallest set of anchors with which a device still connects to the servers of a config, now and
on a later day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from rootfs_trust.api.advised_config import advised_files
from rootfs_trust.api.clock import utc_now
from rootfs_trust.api.open_tree import open_view
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.output_file import place_in, write_output
from rootfs_trust.api.planning import Job, read_job
from rootfs_trust.api.servers import read_servers
from rootfs_trust.api.tree_after_run import after_run
from rootfs_trust.audit.advice import Advice, Advised, Candidate, Rehearsal, expected
from rootfs_trust.audit.root_status import COMPROMISED, REMOVED, ending_text, root_status, successors
from rootfs_trust.audit.servers import Server, ServerResult, judge_servers
from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.audit.verify import openssl_engine
from rootfs_trust.audit.verify.versions import Versions
from rootfs_trust.clients.all_clients import clients_of, named_client
from rootfs_trust.clients.client import Client
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.errors import ROOT_ENDS, SERVER_RENEWED, USAGE, InputError, Problem, refuse
from rootfs_trust.inputs.config import Config
from rootfs_trust.inputs.root_data import RootData, load_root_data
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import View
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.selection import selected
from rootfs_trust.times import LATEST


class AdviseResult(NamedTuple):
    """The anchors that ``advise`` proposes, and the verdicts with them.

    ``servers``  the verdicts of the clients for each server with the proposed anchors. With a root filesystem, they are
                 for the tree that ``install`` would leave with the proposed config; without one, by their rules only.
    ``notes``    warnings about the anchors: roots that leave the root program, missing successors.
    ``written``  the path of the written config, or None.
    """

    advice: Advice
    servers: tuple[ServerResult, ...]
    notes: tuple[Problem, ...]
    at: datetime
    until: date
    written: str | None = None

    @property
    def holds(self) -> bool:
        """Whether every server meets its expectation for each of its clients."""
        proven = self.advice._replace(results=self.servers)
        return self.advice.holds and proven.holds


def advise(
    config: str | Config,
    until: date,
    *,
    root: str | None = None,
    output: str | None = None,
    at: datetime | None = None,
    root_data: str | None = None,
) -> AdviseResult:
    """Propose the smallest set of anchors for the ``[[server]]`` tables of ``config``, a file or an object.

    Candidates are the config's anchors, ``[store] roots``, and everything that a client of the tree at ``root`` trusts.
    If the proof succeeds, writes a config with ``base = "none"`` and the proposed anchors to ``output``. Raises
    InputError, or ConflictError if ``install`` with that config would.
    """
    openssl_engine.require()
    if output is not None and root is not None and place_in(output, [root]) is not None:
        hint = "keep the configuration outside the root filesystem"
        raise InputError(USAGE(output, f"is in the root filesystem {root}", hint))
    moment = at or utc_now()
    job = read_job(InstallOptions(config=config, at=moment, root_data=root_data))
    refuse(InputError, job.gathered.problems)
    servers, day = _servers(job.config, moment, until), datetime.combine(until, time(), UTC)
    data = load_root_data(root_data)
    with open_view(root) if root is not None else nullcontext(_empty_tree()) as view:
        reading = FileReader(Device(view))
        candidates = _usable(_candidates(job, view), job.config, data, moment)
        clients = _clients(reading, servers, known_tree=root is not None)
        rehearsal = Rehearsal(servers, candidates, clients, Versions(reading), moment, day)
        advice = _with_successors(rehearsal.advice(), candidates, data, until)
        advised = _advised_job(job, advice)
        tried = root is not None and advice.holds
        proof = _proof(view, advised, servers, moment, day) if tried else advice.results
    notes = (*_renewals(servers, rehearsal, until), *_roots(advice, data, moment.date(), until))
    result = AdviseResult(advice, proof, notes, moment, until)
    if output is None or not result.holds:
        return result
    for path, content in advised_files(job.config, advised.gathered.anchors, advice, output, until):
        write_output(path, content)
    return result._replace(written=output)


def _servers(config: Config, at: datetime, until: date) -> tuple[Server, ...]:
    if until <= at.date():
        message = f"--until {until} is not after {at.date()}, the time of the evaluation"
        raise InputError(USAGE("", message, "give a later day"))
    servers = read_servers(config, at)
    if not any(not each.refused for each in servers):
        hint = "add a table for each server that devices connect to; init --fetch HOST:PORT writes one"
        raise InputError(USAGE(config.path, "has no [[server]] that must be trusted", hint))
    return servers


def _empty_tree() -> View:
    """Open an empty root filesystem."""
    from rootfs_trust.image.image_tree import ImageTree

    return ImageTree(())


def _clients(reading: FileReader, servers: Iterable[Server], *, known_tree: bool) -> list[Client]:
    """Return the clients of the tree; without a tree, those that every system has and those that the servers name."""
    found = list(clients_of(reading))
    if not known_tree:
        names = {client.name for client in found}
        wanted = dict.fromkeys(name for server in servers for name in server.clients)
        found += (named_client(name) for name in wanted if name not in names)
    return found


# -- candidates -------------------------------------------------------------------------------------------------


def _candidates(job: Job, view: View) -> Iterator[Candidate]:
    """Return the candidates in this order: the config's anchors, the certificates of ``[store] roots``, and those that
    the tree trusts.
    """
    for anchor in job.gathered.anchors:
        yield Candidate(anchor.name, anchor.certificate, anchor.where, configured=True)
    for trusted in Trust(view).trusted:
        where = (*trusted.sources, *trusted.paths, *(reader.path for reader in trusted.readers))
        yield Candidate(trusted.name, trusted.certificate, where[0])
    for root in job.gathered.roots:
        yield Candidate(root.name, root.certificate, root.where)


def _usable(candidates: Iterable[Candidate], config: Config, data: RootData, at: datetime) -> list[Candidate]:
    """Return each usable certificate once, in order of preference. Leaves out expired and distrusted ones."""
    once: dict[str, Candidate] = {}
    for each in candidates:
        once.setdefault(each.certificate.sha256, each)
    unwanted = (*config.store.distrust, *config.policy.forbid)
    usable = (
        each
        for each in once.values()
        if (each.certificate.not_after or at) > at
        and not selected(unwanted, each.certificate)
        and root_status(data, each.certificate).word != COMPROMISED
    )
    return sorted(usable, key=lambda each: _preference(each, data))


def _preference(candidate: Candidate, data: RootData) -> tuple[bool, bool, float, str]:
    """Sort key: configured anchors first, roots that left the root program last, later expiry first."""
    removed = root_status(data, candidate.certificate).word == REMOVED
    end = candidate.certificate.not_after or LATEST
    return not candidate.configured, removed, -end.timestamp(), candidate.certificate.sha256


def _with_successors(advice: Advice, candidates: Sequence[Candidate], data: RootData, until: date) -> Advice:
    """If trust in a root ends before the day, add the successors that the root data has for the cloud."""
    held = {each.certificate.sha256: each for each in candidates}
    chosen = {each.candidate.certificate.sha256 for each in advice.anchors}
    added: dict[str, Advised] = {}
    for anchor in advice.anchors:
        certificate = anchor.candidate.certificate
        for next_ in successors(data, certificate) if ending_text(data, certificate, until, until) else ():
            if next_.sha256 in held and next_.sha256 not in chosen:
                advised = Advised(held[next_.sha256], (), anchor.candidate.name, next_.documented.source)
                added.setdefault(next_.sha256, advised)
    return advice._replace(anchors=(*advice.anchors, *added.values()))


# -- the advised config ---------------------------------------------------------------------------------------


def _advised_job(job: Job, advice: Advice) -> Job:
    """Return the install job of the proposed config."""
    configured = {each.certificate.sha256: each for each in job.gathered.anchors}
    taken: set[str] = set()
    anchors = []
    for each in advice.anchors:
        found = configured.get(each.candidate.certificate.sha256)
        anchor = found or Anchor(_free_name(each.candidate, taken), each.candidate.certificate, each.candidate.where)
        taken.add(anchor.name)
        anchors.append(anchor)
    config = job.config._replace(store=job.config.store._replace(base="none"))
    return job._replace(config=config, gathered=replace(job.gathered, anchors=anchors))


def _free_name(candidate: Candidate, taken: set[str]) -> str:
    return f"{candidate.name}-{candidate.certificate.sha256[:8]}" if candidate.name in taken else candidate.name


def _proof(view: View, job: Job, servers: Sequence[Server], at: datetime, until: datetime) -> tuple[ServerResult, ...]:
    """Return the verdicts of the clients for the tree that ``install`` would leave. Raises ConflictError."""
    wanted = [expected(each, max(until, each.until or until)) for each in servers]
    return tuple(judge_servers(Device(after_run(view, job)), wanted, at))


# -- notes ----------------------------------------------------------------------------------------------------


def _renewals(servers: Sequence[Server], rehearsal: Rehearsal, until: date) -> Iterator[Problem]:
    for number, server in enumerate(servers):
        end = server.chain.server.not_after
        if end is not None and not server.refused and rehearsal.renewed(number):
            message = (
                f"the server {server.name} sends a certificate that expires on {end.date()}: the proof reaches to that "
                f"day, with anchors that last until {until}"
            )
            yield SERVER_RENEWED(server.where, message)


def _roots(advice: Advice, data: RootData, today: date, until: date) -> Iterator[Problem]:
    """Warn about proposed roots whose trust ends before the day, and about successors that are not available."""
    chosen = {each.candidate.certificate.sha256 for each in advice.anchors}
    for each in advice.anchors:
        certificate = each.candidate.certificate
        ends = ending_text(data, certificate, today, until)
        if ends:
            following = successors(data, certificate)
            missing = [f"{next_.name} (sha256 {next_.sha256})" for next_ in following if next_.sha256 not in chosen]
            hint = "its successors are part of the advice" if following else "ask the cloud which root it will use next"
            hint = f"add its successor as an [[anchor]]: {', '.join(missing)}" if missing else hint
            yield ROOT_ENDS(each.candidate.where, f"{each.candidate.name} {ends}", hint)
