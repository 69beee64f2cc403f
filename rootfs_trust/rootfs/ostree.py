"""OSTree's trees before their deployment: /etc is created from /usr/etc."""

from __future__ import annotations

from rootfs_trust.rootfs.view import Directory, View

ETC, USR_ETC = "/etc", "/usr/etc"


def has_etc_in_usr(view: View) -> bool:
    """Return whether this is a tree of OSTree or bootc before its deployment."""
    return view.kind(USR_ETC) is Directory and not view.names(ETC)
