"""Detects the layout of a rootfs from its files, then from its os-release.

Files come first because os-release may mislead: a Yocto product sets its own ID without ID_LIKE, and distroless has
ID=debian.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rootfs_trust.errors import LAYOUT, InputError
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import Directory, File, View, read
from rootfs_trust.store.boot_time_stores import refusal
from rootfs_trust.store.layout import BUNDLES, P11KIT_IDS, TOKENS, Layout
from rootfs_trust.store.layouts import BUNDLE_ONLY, DEBIAN, DEBIANS, OPENWRT, OTHERS, PHOTON, YOCTO

_IDS = {
    **{word: layout.name for layout in (*DEBIANS, *OTHERS) for word in layout.ids},
    **{word: name for name, words in P11KIT_IDS.items() for word in words},
}
"""Layout names by ID of os-release."""


def find_layout(device: Device, name: str = "auto") -> Layout:
    """Return the layout called ``name``; for ``auto``, detect it. Raises InputError if there is none."""
    if name == "auto" and (refused := refusal(device)):
        raise InputError(refused)
    found = next(_detected(device), None) if name == "auto" else _layout_by_name(name)
    if found is None:
        release = device.os_release
        what = f"its os-release says ID={release['ID']}" if release.get("ID") else "it has no os-release with an ID"
        message = f"no known trust store layout detected; {what}"
        raise InputError(LAYOUT("/", message, f"check --root, or select a layout with --layout; {_choices()}"))
    return _adapted(device, found)


def _layout_by_name(name: str) -> Layout:
    # Imported here because the layouts of p11-kit need many modules, and a run needs only one layout.
    from rootfs_trust.store.all_layouts import LAYOUTS

    if name not in LAYOUTS:
        raise InputError(LAYOUT("", f"unknown layout {name}", _choices()))
    return LAYOUTS[name]


def _detected(device: Device) -> Iterator[Layout]:
    """Yield the layouts to which the files of the rootfs point, the most certain first."""
    view = device.view
    yield from _by_features(view)
    release = device.os_release
    has_sources = (
        view.kind(DEBIAN.shipped) is Directory
        or view.kind(DEBIAN.conf) is File
        or any(name.endswith(".crt") for name in view.names(DEBIAN.local))
    )
    if release.get("ID") == PHOTON.name and PHOTON.is_installed(view):
        yield PHOTON
    has_bundle = any(view.kind(path) is File for path in BUNDLES)
    if has_bundle and not has_sources and view.kind("/etc/openwrt_release") is None:
        yield BUNDLE_ONLY
    for word in (release.get("ID", ""), *release.get("ID_LIKE", "").split()):
        if word in _IDS:
            yield _layout_by_name(_IDS[word])


def _by_features(view: View) -> Iterator[Layout]:
    tool = read(view, "/usr/sbin/update-ca-certificates") or b""
    if view.kind("/etc/openwrt_release") is not None:
        yield OPENWRT
    if view.kind("/usr/lib/ssl-3") is Directory or b"FSROOT=" in tool:
        yield YOCTO
    for name, tokens in TOKENS.items():
        if any(view.kind(token) is Directory for token in tokens):
            yield _layout_by_name(name)
    if view.kind(DEBIAN.shipped) is not Directory:
        return
    yield from (layout for layout in DEBIANS if any(view.kind(place) is not None for place in layout.signs))


def _adapted(device: Device, layout: Layout) -> Layout:
    """Adapt the layout to what the tool of this release of the distribution writes."""
    if layout is BUNDLE_ONLY:
        return _with_its_bundle(device.view, layout)
    if layout.name == "fedora":
        from rootfs_trust.store.p11kit.release_differences import as_released

        return as_released(device, layout)
    return layout


def _with_its_bundle(view: View, layout: Layout) -> Layout:
    """Return ``bundle-only`` with the bundle files of the rootfs. Links are resolved, because the files are edited."""
    reals = (view.real_path(path) for path in BUNDLES)
    first, *more = dict.fromkeys(real for real in reals if real is not None and view.kind(real) is File) or (None,)
    return layout if first is None else replace(BUNDLE_ONLY, bundle=first, more=tuple(more))


def _choices() -> str:
    from rootfs_trust.store.all_layouts import LAYOUTS

    return f"layouts: {', '.join(LAYOUTS)}"
