"""Detects the layout of a rootfs from its files, then from its os-release.

Files come first because os-release may mislead: a Yocto product sets its own ID without ID_LIKE, and distroless has
ID=debian.
"""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.errors import LAYOUT, InputError, Problem
from rootfs_trust.layouts import BUNDLES, LAYOUTS
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.layouts.tools import NoTool, UpdateCaCertificates
from rootfs_trust.layouts.with_p11kit import FEDORA, P11KITS
from rootfs_trust.layouts.without_p11kit import BUNDLE_ONLY, DEBIAN, DEBIANS, OPENWRT, PHOTON, YOCTO
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import Directory, File, View, read

_BY_ID = {word: layout for layout in LAYOUTS.values() for word in layout.ids}
"""Layouts by ID of os-release."""

_DEBIANS_TOOL = UpdateCaCertificates()
_PHOTONS_PACKAGE = "/usr/bin/remove-expired-certs.sh"
"""A file of Photon's ca-certificates. An image may have only the bundle of ca-certificates-pki."""

_CREATED_AT_BOOT = {
    "bottlerocket": (
        "Bottlerocket writes its trust store at each boot from its settings",
        "put the CA into the user data: settings.pki.NAME.data (PEM as Base64) and settings.pki.NAME.trusted = true; "
        "trusted = false distrusts a shipped CA",
    ),
    "talos": (
        "Talos Linux creates /etc at each boot from its machine configuration",
        "add a TrustedRootsConfig document to the machine configuration (Talos 1.8 and later)",
    ),
}
"""Systems that create their trust store at boot from settings, so that a file in the rootfs would not last: by ID of
os-release, what the system does at boot, and what to do instead.

Sources: bottlerocket-os/bottlerocket-core-kit 210ea3f715, sources/api/certdog (at boot, writes the bundle from the one
in /usr/share/factory and settings.pki), bottlerocket.dev, "settings.pki"; talos.dev, TrustedRootsConfig (from 1.8).
"""


def find_layout(device: Device, name: str = "auto") -> Layout:
    """Return the layout called ``name``; for ``auto``, detect it. Raises InputError if there is none."""
    if name == "auto" and (refused := _refusal(device)):
        raise InputError(refused)
    found = next(_detected(device), None) if name == "auto" else _layout_by_name(name)
    if found is None:
        release = device.os_release
        what = f"its os-release says ID={release['ID']}" if release.get("ID") else "it has no os-release with an ID"
        message = f"no known trust store layout detected; {what}"
        raise InputError(LAYOUT("/", message, f"check --root, or select a layout with --layout; {_choices()}"))
    return _adapted(device, found)


def _refusal(device: Device) -> Problem | None:
    """Return the error for a system that creates its trust store at boot; None for all other systems."""
    name = device.os_release.get("ID", "")
    if name not in _CREATED_AT_BOOT:
        return None
    what, instead = _CREATED_AT_BOOT[name]
    return LAYOUT("/etc/os-release", f"has ID={name}: {what}, so a file in the rootfs would not last", instead)


def _layout_by_name(name: str) -> Layout:
    if name not in LAYOUTS:
        raise InputError(LAYOUT("", f"unknown layout {name}", _choices()))
    return LAYOUTS[name]


def _detected(device: Device) -> Iterator[Layout]:
    """Yield the layouts to which the files of the rootfs point, the most certain first."""
    view = device.view
    yield from _by_features(view)
    release = device.os_release
    if release.get("ID") in PHOTON.ids and _has_photons_package(view):
        yield PHOTON
    if any(view.kind(path) is File for path in BUNDLES) and not _has_debians_sources(view):
        yield BUNDLE_ONLY
    for word in (release.get("ID", ""), *release.get("ID_LIKE", "").split()):
        if word in _BY_ID:
            yield _BY_ID[word]


def _by_features(view: View) -> Iterator[Layout]:
    tool = read(view, "/usr/sbin/update-ca-certificates") or b""
    if view.kind("/etc/openwrt_release") is not None:
        yield OPENWRT
    if view.kind("/usr/lib/ssl-3") is Directory or b"FSROOT=" in tool:
        yield YOCTO
    for layout in P11KITS:
        if any(view.kind(token) is Directory for token in layout.tokens):
            yield layout
    if view.kind(_DEBIANS_TOOL.shipped) is Directory:
        yield from (layout for layout in DEBIANS if any(view.kind(sign) is not None for sign in layout.signs))


def _has_debians_sources(view: View) -> bool:
    return (
        view.kind(_DEBIANS_TOOL.shipped) is Directory
        or view.kind(_DEBIANS_TOOL.conf) is File
        or any(name.endswith(DEBIAN.suffix) for name in view.names(DEBIAN.local))
    )


def _has_photons_package(view: View) -> bool:
    return view.kind(_PHOTONS_PACKAGE) is File or any(name.endswith(PHOTON.suffix) for name in view.names(PHOTON.local))


def _adapted(device: Device, layout: Layout) -> Layout:
    """Adapt the layout to what the tool of this release of the distribution writes."""
    if layout is BUNDLE_ONLY:
        return _with_its_bundle(device.view, layout)
    if layout is FEDORA:
        from rootfs_trust.layouts.release_differences import as_released

        return as_released(device, layout)
    return layout


def _with_its_bundle(view: View, layout: Layout) -> Layout:
    """Return ``bundle-only`` with the bundle files of the rootfs. Links are resolved, because the files are edited."""
    reals = (view.real_path(path) for path in BUNDLES)
    first, *more = dict.fromkeys(real for real in reals if real is not None and view.kind(real) is File) or (None,)
    return layout if first is None else layout._replace(bundle=first, local=first, tool=NoTool(tuple(more)))


def _choices() -> str:
    return f"layouts: {', '.join(LAYOUTS)}"
