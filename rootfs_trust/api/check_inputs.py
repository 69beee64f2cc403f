"""Check the files that ``install`` is to get, without a root filesystem: for editors, pre-commit and code review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from rootfs_trust.api.clock import utc_now
from rootfs_trust.errors import InputError, Problem, refuse
from rootfs_trust.inputs.anchors import gather
from rootfs_trust.inputs.certificates import certificates
from rootfs_trust.inputs.config import load_config
from rootfs_trust.inputs.files import read_inputs


def check_inputs(files: Iterable[str], at: datetime | None = None) -> tuple[Problem, ...]:
    """Check certificate files, directories of them and configurations (``*.toml``); return the warnings.

    A certificate file must be readable and contain no private key. ``install`` must accept every file and value in a
    configuration. Raises InputError with every problem.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for path in files:
        try:
            warnings += _of_config(path, at) if path.endswith(".toml") else _of_certificates(path, at)
        except InputError as error:
            problems += error.problems
    refuse(InputError, problems)
    return tuple(warnings)


def _of_config(path: str, at: datetime | None) -> list[Problem]:
    from rootfs_trust.api.servers import read_servers

    config, at = load_config(path), at or utc_now()
    gathered = gather((), config.anchors, (), config.policy, at)
    refuse(InputError, gathered.problems)
    if config.servers:
        read_servers(config, at)
    return gathered.notes


def _of_certificates(path: str, at: datetime | None) -> Iterator[Problem]:
    """Yield a warning for a file without a certificate, such as a certificate request."""
    reading = read_inputs([path])
    problems = reading.problems
    for file in reading.files:
        for each in certificates(file.path, file.data, at or utc_now()).problems:
            if each.id != "no-certificate":
                problems.append(each)
            elif file.wanted:
                yield each
    refuse(InputError, problems)
