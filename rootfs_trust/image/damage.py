"""The problem of an image that cannot be read because its data is malformed."""

from __future__ import annotations

from rootfs_trust.errors import IMAGE, InputError


def broken(path: str, message: str) -> InputError:
    """Return the error for a malformed image."""
    return InputError(IMAGE(path, message, "download or build the image again"))
