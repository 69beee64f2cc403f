"""Policies: what a config asks for, its files read, under a digest that tells whether two ask for the same."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from hashlib import sha256

from rootfs_trust import __version__
from rootfs_trust.api.carry_out import refuse
from rootfs_trust.api.decide import Job, read_job
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.fleet.jobs import Order
from rootfs_trust.store.anchor import Anchor


def read_policy(options: InstallOptions) -> tuple[Job, str]:
    """The job that ``options`` with their config ask for, and its digest. Raises InputError for what is refused."""
    job = read_job(options)
    refuse(InputError, job.gathered.troubles)
    return job, policy_digest(job)


@functools.cache
def ordered(order: Order) -> Job:
    """The job of an order, read once a process. Raises InputError when its files give another policy by now."""
    options = InstallOptions(config=order.config, at=order.at, timestamp=order.timestamp, dry_run=order.dry_run)
    job, digest = read_policy(options)
    if digest != order.policy:
        message = "is not what it was when the run began, or its files are not"
        raise InputError(Trouble("config", order.config, message, "run again when nobody changes them"))
    return job


def policy_digest(job: Job) -> str:
    """SHA-256 over all that decides what a tree becomes: version, settings, certificates, templates.

    The time at which validity is judged is no part of it: a certificate that expired is refused before.
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
    yield repr((store.layout, store.base, store.distrust)).encode()
    yield repr([_anchor(each) for each in gathered.anchors]).encode()
    yield repr([_anchor(each) for each in gathered.roots]).encode()
    for cloud in config.clouds:
        yield repr((cloud.kind, cloud.profile, cloud.root_cert_path, cloud.at_run_time)).encode()
    for table, name, text in job.templates:
        yield repr(((name, text), table.dest, table.mode, table.values, table.replace)).encode()


def _anchor(anchor: Anchor) -> tuple[object, ...]:
    purposes = None if anchor.purposes is None else sorted(anchor.purposes)
    return anchor.name, anchor.certificate.sha256, anchor.replace, purposes
