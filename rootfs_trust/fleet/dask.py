"""Workers of a Dask cluster, where one machine is not enough. Needs the extra ``fleet``; nothing else imports it.

The cluster is the caller's: its scheduler, its workers, its TLS (Dask's own configuration). Only paths, digests and
results travel; workers read trees, configs and certificates from storage that all of them share.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from rootfs_trust import __version__
from rootfs_trust.errors import ApplyError, InputError, Trouble
from rootfs_trust.fleet.executors import Workers

_PATIENCE = 10
"""Seconds in which the scheduler has to answer."""


@contextmanager
def dask_workers(address: str) -> Iterator[Workers]:
    """The workers of the scheduler at ``address``.

    Raises InputError where there are none, or some with another version; ApplyError when the scheduler is lost.
    """
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        hint = "pip install 'rootfs-trust[fleet]'"
        raise InputError(Trouble("dask", "", f"--dask needs the package {error.name}", hint)) from error
    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        hint = "dask scheduler prints the address; certificates of TLS come from Dask's configuration"
        raise InputError(Trouble("dask", address, f"no scheduler answers: {error}", hint)) from error
    try:
        count = _checked(client, address)
        executor = client.get_executor(pure=False)
        yield Workers(lambda: executor, count, (distributed.KilledWorker,))
    except (CancelledError, distributed.comm.CommClosedError) as error:
        hint = "run the same command again when the cluster is back: it goes on where this run ended"
        raise ApplyError(Trouble("dask", address, "the scheduler was lost underway", hint)) from error
    finally:
        client.close()


def _checked(client: Any, address: str) -> int:
    """How many tasks the cluster does at a time. Raises InputError for a worker that is of no use."""
    threads = client.nthreads()
    if not threads:
        raise InputError(Trouble("dask", address, "the scheduler has no worker", f"start some: dask worker {address}"))
    found = client.run(_version, on_error="return")
    hint = f"give every worker rootfs-trust {__version__}"
    troubles = [
        Trouble("dask", worker, f"has {_described(version)}, not rootfs-trust {__version__}", hint)
        for worker, version in sorted(found.items())
        if version != __version__
    ]
    if troubles:
        raise InputError(*troubles)
    return sum(map(int, threads.values()))


def _described(version: object) -> str:
    return f"rootfs-trust {version}" if isinstance(version, str) else f"no rootfs-trust that runs ({version})"


def _version() -> str:
    """Runs on a worker."""
    return __version__
