"""Policies: a configuration with its files read, and a digest that is equal for equal policies."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from rootfs_trust import __version__
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.planning import Job, read_job
from rootfs_trust.errors import CONFIG, InputError, refuse
from rootfs_trust.fleet.messages import CheckOrder, TargetConfig
from rootfs_trust.inputs.files import read_file
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.selection import Selection


def read_policy(options: InstallOptions) -> tuple[Job, str]:
    """Return the job for ``options`` and their configuration, and its digest. Raises InputError."""
    job = read_job(options)
    refuse(InputError, job.gathered.problems)
    return job, policy_digest(job)


@functools.cache
def load_job(order: TargetConfig) -> Job:
    """Return the job of an order, read once per process. Raises InputError if its files have changed."""
    options = InstallOptions(
        config=order.config,
        at=order.at,
        timestamp=order.timestamp,
        dry_run=order.dry_run,
        root_data=order.root_data,
    )
    job, digest = read_policy(options)
    if digest != order.policy:
        message = "has changed since the run began, or one of its files has"
        raise InputError(CONFIG(order.config, message, "run again, and do not change them during the run"))
    return job


def policy_digest(job: Job) -> str:
    """Return the SHA-256 of everything that decides the result: version, settings, certificates and templates.

    The time of the run is not included, because expired certificates are refused before the digest is used.
    """
    digest = sha256(usedforsecurity=False)
    for part in _parts(job):
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


def _parts(job: Job) -> Iterator[bytes]:
    config, gathered = job.config, job.gathered
    yield __version__.encode()
    yield repr(job.options.timestamp).encode()
    store = config.store
    yield repr((store.layout, store.base, [_selection(each) for each in store.distrust])).encode()
    yield repr(job.program and sorted(job.program.roots)).encode()
    yield repr([_anchor(each) for each in gathered.anchors]).encode()
    yield repr([_anchor(each) for each in gathered.roots]).encode()
    yield repr((job.runtimes, job.java_passwords)).encode()
    for cloud in config.clouds:
        yield repr((cloud.kind, cloud.profile, cloud.root_cert_path, cloud.at_run_time)).encode()
    for table, name, text in job.templates:
        yield repr(((name, text), table.dest, table.mode, table.values, table.replace)).encode()


def check_policy_digest(order: CheckOrder, selections: Iterable[Selection], certificates: Sequence[str] = ()) -> str:
    """Return the SHA-256 of everything that decides the result of a check, except the target.

    ``selections`` and ``certificates`` (SHA-256) are those that the configuration selects and names.
    """
    files = [sha256(read_file(path)).hexdigest() for path in (order.config, order.root_data) if path is not None]
    asked = (__version__, order.config, order.at.isoformat(), order.level, files, certificates)
    text = repr((asked, [_selection(each) for each in selections]))
    return sha256(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _selection(selection: Selection) -> tuple[object, ...]:
    known = [each.sha256 for each in selection.certificates]
    return selection.text, sorted(selection.sha256), sorted(selection.spki), known


def _anchor(anchor: Anchor) -> tuple[object, ...]:
    """Return every field of the anchor except its host path, which is used only in messages."""
    purposes = None if anchor.purposes is None else sorted(anchor.purposes)
    fields = {**anchor._asdict(), "certificate": anchor.certificate.sha256, "purposes": purposes, "where": ""}
    return tuple(fields.items())
