"""What a distribution's trust store looks like: one frozen constant a layout, and how to recognise each."""

from __future__ import annotations

from dataclasses import dataclass

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.rootfs.nodes import Directory, View, read


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one family of distributions keeps its trust store. Paths are the device's."""

    name: str
    title: str
    local: str
    """The folder of anchors that the device's owner adds."""
    shipped: str
    """The folder of anchors that the distribution's package brings."""
    conf: str
    """The list of shipped anchors that are trusted, or with ``!`` not."""
    bundle: str
    hash_directory: str
    hooks: str
    """The folder of programs that the distribution's own tool runs afterwards."""
    releases: str
    """The releases for which this was found to hold."""
    facts: tuple[str, ...]
    """Where the facts come from."""


DEBIAN = Layout(
    name="debian",
    title="Debian, Ubuntu, Raspberry Pi OS",
    local="/usr/local/share/ca-certificates",
    shipped="/usr/share/ca-certificates",
    conf="/etc/ca-certificates.conf",
    bundle="/etc/ssl/certs/ca-certificates.crt",
    hash_directory="/etc/ssl/certs",
    hooks="/etc/ca-certificates/update.d",
    releases="Debian 11 to 13, Ubuntu 20.04 to 24.04, Raspberry Pi OS of the same time",
    facts=(
        "update-ca-certificates(8) of ca-certificates 20230311+deb12u1 and 20250419~deb12u2",
        "debian/postinst and debian/config of the same packages",
    ),
)

LAYOUTS = {layout.name: layout for layout in (DEBIAN,)}


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
    raise InputError(
        Trouble(
            "layout",
            "/",
            f"the rootfs shows no known trust store layout; {what}",
            f"check --root, or name the layout with --layout: {_choices()}",
        )
    )


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
