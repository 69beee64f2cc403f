"""Reads the files of a zip archive, with limits. Web portals and mails often contain certificates in this form."""

from __future__ import annotations

from rootfs_trust.errors import ARCHIVE, TOO_LARGE, Problem
from rootfs_trust.inputs.files import MAX_INPUT, SUFFIXES, InputFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""The first bytes of a zip archive, and those of an empty one."""

_MOST_FILES = 4096
_ENCRYPTED = 1  # bit of the general purpose flags (APPNOTE.TXT, 4.4.4)
_UNPACK = "unpack it, and give the certificate files"


def is_zip(data: bytes) -> bool:
    """Return whether ``data`` is a zip archive."""
    return data.startswith(_ZIP)


def zip_files(path: str, data: bytes) -> list[InputFile] | Problem:
    """Read the files of the archive, or return the reason why it is refused. Hidden files are omitted, as in a
    directory.

    A file counts as wanted if its name has a suffix of a certificate file. The size limit of one input applies to all
    files together.
    """
    import lzma
    import zlib
    from io import BytesIO
    from zipfile import BadZipFile, ZipFile

    # Exceptions of zipfile for archives that are damaged or use an unknown compression.
    damage = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
    try:
        with ZipFile(BytesIO(data)) as archive:
            return _files(path, archive)
    except damage as error:
        return ARCHIVE(path, f"the zip archive cannot be read: {error}")


def _files(path: str, archive: ZipFile) -> list[InputFile] | Problem:
    members = [each for each in archive.infolist() if not each.is_dir() and not _name(each).startswith(".")]
    if any(each.flag_bits & _ENCRYPTED for each in members):
        return ARCHIVE(path, "the zip archive is encrypted")
    if len(members) > _MOST_FILES:
        return ARCHIVE(path, f"the zip archive has more than {_MOST_FILES} files")
    files, left = [], MAX_INPUT
    for member in members:
        with archive.open(member) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            return TOO_LARGE(path, f"the zip archive unpacks to more than {MAX_INPUT} bytes", _UNPACK)
        files.append(InputFile(f"{path}/{member.filename}", content, _name(member).lower().endswith(SUFFIXES)))
    return files


def _name(member: ZipInfo) -> str:
    return member.filename.rpartition("/")[2]
