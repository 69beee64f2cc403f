"""Archives of ours, unpacked to disk."""

from __future__ import annotations

import tarfile
from pathlib import Path


def unpack(archive: tarfile.TarFile, directory: Path) -> None:
    """Like ``extractall`` with the filter for trees; Debian 12's Python 3.11.2 has no filters and needs none."""
    archive.extraction_filter = getattr(tarfile, "tar_filter", None)
    archive.extractall(directory)
