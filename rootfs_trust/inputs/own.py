"""Which anchors the caller's configuration names, for commands that look and do not install."""

from __future__ import annotations

from datetime import datetime

from rootfs_trust.errors import InputError
from rootfs_trust.inputs.certificates import certificates
from rootfs_trust.inputs.config import Config
from rootfs_trust.inputs.files import read_inputs


def own_digests(config: Config, at: datetime) -> frozenset[str]:
    """SHA-256 of every certificate in the files of ``[[anchor]]``. Raises InputError for one that cannot be read."""
    reading = read_inputs([anchor.file for anchor in config.anchors])
    readings = [certificates(file.path, file.data, at) for file in reading.files if file.wanted]
    troubles = [*reading.troubles, *(trouble for each in readings for trouble in each.troubles)]
    if troubles:
        raise InputError(*troubles)
    return frozenset(found.certificate.sha256 for each in readings for found in each.found)
