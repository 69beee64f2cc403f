"""Recognises the layout of a rootfs: by what stands in it first, then by its os-release.

A Yocto product sets its own ID without ID_LIKE, and distroless says ID=debian: what stands there tells more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.rootfs.nodes import Directory, File, View, read
from rootfs_trust.store.layout import Layout
from rootfs_trust.store.layouts import ALPINE, BUNDLE_ONLY, DEBIAN, OPENWRT, YOCTO
from rootfs_trust.store.p11kit.places import TOKENS

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where a tree without sources may have its bundle: the files that Go and OpenSSL's probes look for, in order."""

_IDS = {
    "debian": "debian",
    "ubuntu": "debian",
    "raspbian": "debian",
    "poky": "yocto",
    "nodistro": "yocto",
    "alpine": "alpine",
    "wolfi": "alpine",
    "chainguard": "alpine",
    "fedora": "fedora",
    "rhel": "fedora",
    "centos": "fedora",
    "amzn": "fedora",
    "azurelinux": "fedora",
    "mariner": "fedora",
    "suse": "suse",
    "opensuse": "suse",
    "sles": "suse",
    "arch": "arch",
    "buildroot": "buildroot",
    "openwrt": "openwrt",
}


def find_layout(view: View, name: str = "auto") -> Layout:
    """The layout called ``name``; ``auto``: the one that the rootfs itself shows. Raises InputError."""
    found = next(_shown(view), None) if name == "auto" else _named(name)
    if found is None:
        release = os_release(view)
        what = f"its os-release says ID={release['ID']}" if release.get("ID") else "it has no os-release with an ID"
        message = f"the rootfs shows no known trust store layout; {what}"
        raise InputError(Trouble("layout", "/", message, f"check --root, or name one with --layout; {_choices()}"))
    return _with_its_bundle(view, found) if found is BUNDLE_ONLY else found


def _named(name: str) -> Layout:
    # The layouts of p11-kit are many modules, and a run needs one layout.
    from rootfs_trust.store.all_layouts import LAYOUTS

    if name not in LAYOUTS:
        raise InputError(Trouble("layout", "", f"no layout is called {name}", _choices()))
    return LAYOUTS[name]


def os_release(view: View) -> dict[str, str]:
    """The assignments of the rootfs's os-release(5), /etc before /usr/lib."""
    text = read(view, "/etc/os-release") or read(view, "/usr/lib/os-release") or b""
    pairs = (line.partition("=") for line in text.decode("utf-8", "replace").splitlines() if "=" in line)
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def _shown(view: View) -> Iterator[Layout]:
    """The layouts that the rootfs shows signs of, the surest first."""
    yield from _by_features(view)
    release = os_release(view)
    has_sources = (
        view.kind(DEBIAN.shipped) is Directory
        or view.kind(DEBIAN.conf) is File
        or any(name.endswith(".crt") for name in view.names(DEBIAN.local))
    )
    has_bundle = any(view.kind(path) is File for path in BUNDLES)
    if has_bundle and not has_sources and view.kind("/etc/openwrt_release") is None:
        yield BUNDLE_ONLY
    for word in (release.get("ID", ""), *release.get("ID_LIKE", "").split()):
        if word in _IDS:
            yield _named(_IDS[word])


def _by_features(view: View) -> Iterator[Layout]:
    tool = read(view, "/usr/sbin/update-ca-certificates") or b""
    if view.kind("/etc/openwrt_release") is not None:
        yield OPENWRT
    if view.kind("/usr/lib/ssl-3") is Directory or b"FSROOT=" in tool:
        yield YOCTO
    for name, tokens in TOKENS.items():
        if any(view.kind(token) is Directory for token in tokens):
            yield _named(name)
    if view.kind(DEBIAN.shipped) is not Directory:
        return
    if view.kind("/var/lib/dpkg") is Directory:
        yield DEBIAN
    if view.kind("/lib/apk") is Directory or view.kind("/etc/alpine-release") is File:
        yield ALPINE
    if view.kind("/var/lib/opkg") is Directory:
        yield YOCTO


def _with_its_bundle(view: View, layout: Layout) -> Layout:
    """``bundle-only`` with the file that the tree has, links resolved: the file itself is what is edited."""
    for path in BUNDLES:
        real = view.real_path(path)
        if real is not None and view.kind(real) is File:
            return replace(BUNDLE_ONLY, bundle=real)
    return layout


def _choices() -> str:
    from rootfs_trust.store.all_layouts import LAYOUTS

    return f"layouts: {', '.join(LAYOUTS)}"
