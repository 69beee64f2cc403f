"""Workers of a Dask cluster. Needs the extra ``fleet``; only ``fleet --dask`` imports this module.

The user runs the cluster: scheduler, workers and TLS (Dask's configuration). Only paths, digests and results are sent.
Workers read trees, configurations and certificates from shared storage.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from rootfs_trust import __version__
from rootfs_trust.errors import DASK, ApplyError, InputError, refuse
from rootfs_trust.fleet.executors import Workers

_PATIENCE = 10
"""The timeout for the scheduler's answer, in seconds."""


@contextmanager
def dask_workers(address: str) -> Iterator[Workers]:
    """Return the workers of the scheduler at ``address``.

    Raises InputError if there are none, or if one has another version of rootfs-trust. Raises ApplyError if the
    connection to the scheduler is lost.
    """
    try:
        distributed = import_module("distributed")
    except ModuleNotFoundError as error:
        hint = "pip install 'rootfs-trust[fleet]'"
        raise InputError(DASK("", f"--dask needs the package {error.name}", hint)) from error
    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        hint = "dask scheduler prints the address; certificates of TLS come from Dask's configuration"
        raise InputError(DASK(address, f"no scheduler answers: {error}", hint)) from error
    try:
        count = _checked(client, address)
        executor = client.get_executor(pure=False)
        yield Workers(lambda: executor, count, (distributed.KilledWorker,))
    except (CancelledError, distributed.comm.CommClosedError) as error:
        hint = "run the same command again when the cluster is back: it continues where this run ended"
        raise ApplyError(DASK(address, "the connection to the scheduler was lost", hint)) from error
    finally:
        client.close()


def _checked(client: Any, address: str) -> int:
    """Return how many tasks the cluster runs at the same time. Raises InputError for an unusable worker."""
    threads = client.nthreads()
    if not threads:
        raise InputError(DASK(address, "the scheduler has no worker", f"start some: dask worker {address}"))
    found = client.run(_version, on_error="return")
    hint = f"give every worker rootfs-trust {__version__}"
    problems = [
        DASK(worker, f"has {_described(version)}, not rootfs-trust {__version__}", hint)
        for worker, version in sorted(found.items())
        if version != __version__
    ]
    refuse(InputError, problems)
    return sum(map(int, threads.values()))


def _described(version: object) -> str:
    return f"rootfs-trust {version}" if isinstance(version, str) else f"no working rootfs-trust ({version})"


def _version() -> str:
    """Return the worker's version of rootfs-trust. Runs on the worker."""
    return __version__
