"""Read the password of Java keystores from a file on the host."""

from __future__ import annotations

from rootfs_trust.errors import CONFIG, InputError
from rootfs_trust.inputs.files import read_file


def java_password(path: str) -> str:
    """Return the first line of the file that ``[runtimes] java_password_file`` names. Raises InputError."""
    try:
        return read_file(path).decode().split("\n")[0].rstrip("\r")
    except OSError as error:
        message = f"the password of Java's keystores cannot be read: {error.strerror}"
        raise InputError(CONFIG(path, message, "check the path and its permissions")) from error
    except ValueError as error:
        message = "the password of Java's keystores is not UTF-8 text"
        raise InputError(CONFIG(path, message, "write it as UTF-8 text")) from error
