"""Recognises the layout of a rootfs: by what stands in it first, then by its os-release."""

from __future__ import annotations

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.rootfs.nodes import Directory, View, read
from rootfs_trust.store.layout import Layout
from rootfs_trust.store.layouts import DEBIAN, LAYOUTS


def find_layout(view: View, name: str = "auto") -> Layout:
    """The layout called ``name``; ``auto``: the one that the rootfs itself shows. Raises InputError."""
    if name != "auto":
        if name not in LAYOUTS:
            raise InputError(Trouble("layout", "", f"no layout is called {name}", _choices()))
        return LAYOUTS[name]
    if _is_debian(view):
        return DEBIAN
    found = os_release(view).get("ID")
    what = f"its os-release says ID={found}" if found else "it has no os-release"
    message = f"the rootfs shows no known trust store layout; {what}"
    raise InputError(Trouble("layout", "/", message, f"check --root, or name the layout with --layout; {_choices()}"))


def os_release(view: View) -> dict[str, str]:
    """The assignments of the rootfs's os-release(5), /etc before /usr/lib."""
    text = read(view, "/etc/os-release") or read(view, "/usr/lib/os-release") or b""
    pairs = (line.partition("=") for line in text.decode("utf-8", "replace").splitlines() if "=" in line)
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def _is_debian(view: View) -> bool:
    """dpkg's database beside the package's own folder; else what os-release says."""
    if view.kind("/var/lib/dpkg") is Directory and view.kind(DEBIAN.shipped) is Directory:
        return True
    release = os_release(view)
    return not {"debian", "ubuntu", "raspbian"}.isdisjoint([release.get("ID", ""), *release.get("ID_LIKE", "").split()])


def _choices() -> str:
    return f"layouts: {', '.join(LAYOUTS)}"
