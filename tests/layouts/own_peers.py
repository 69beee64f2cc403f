"""For each layout the program that would write its store next, and what it has to say of ours: nothing to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust.layouts import LAYOUTS
from rootfs_trust.layouts.tools import UpdateCaCertificates
from rootfs_trust.store.jks import read_keystore
from tests.peers.test_p11kit_layouts import SCRIPTS, Script
from tests.support.debian_tree import contents
from tests.support.device import (
    REHASH,
    UPDATE,
    Device,
    as_gentoo_patches_it,
    as_oe_patches_it,
    as_upstream_has_it,
)
from tests.support.layout_trees import LayoutTree
from tests.unit.store.p11kit.peer import TrustTool

_BUILDROOT_LOOP = """
cd / && find usr/share/ca-certificates -name '*.crt' | LC_COLLATE=C sort | while read -r file; do
    name=${file##*/}
    ln -sf "../../../$file" "etc/ssl/certs/${name%.crt}.pem"
    cat "$file"
done | cmp - etc/ssl/certs/ca-certificates.crt
"""


def nothing_to_do(tree: LayoutTree, request: pytest.FixtureRequest, directory: Path) -> None:
    """Run the layout's own program over the tree; the caller looks whether it has changed anything."""
    name = tree.family.name
    if tree.family.p11kit:
        trust_extract(tree, next(each for each in SCRIPTS if each.layout.name == name), directory / "extracted")
    elif name != "bundle-only":  # nothing on such a device could write its bundle
        _run(tree, request.getfixturevalue("amd64_base"), directory)


def make_anew(tree: LayoutTree, request: pytest.FixtureRequest, directory: Path) -> None:
    """Let the layout's own program write its store into a tree from which the test has deleted it."""
    name = tree.family.name
    if tree.family.p11kit:
        script = next(each for each in SCRIPTS if each.layout.name == name)
        for path, *_ in script.calls:
            _delete(tree.path / path)
        script.run(TrustTool(tree.path / token[1:] for token in script.layout.tokens), tree.path)
        return
    base = request.getfixturevalue("amd64_base")
    c_rehash = _edited(base, directory, REHASH, as_upstream_has_it)
    if has_debians_tool(name):
        _debians_tool(name, base, directory, c_rehash).run(tree.path, "/usr/sbin/update-ca-certificates", "--fresh")
    elif name == "buildroot":
        Device(base, {REHASH: c_rehash}).run(tree.path, "sh", "-c", _WITHOUT_BUNDLE)
    elif name in ("openwrt", "photon"):
        Device(base).run(tree.path, "openssl", "rehash", "/etc/ssl/certs")
    else:
        Device(base, {REHASH: c_rehash}).run(tree.path, "c_rehash", "/etc/ssl/certs")


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o755)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


_EDITS = {
    "yocto": as_oe_patches_it,
    "gentoo": as_gentoo_patches_it,
    "slackware": lambda script: script.replace("openssl rehash", "c_rehash"),
}
"""The edits that distributions make in Debian's tool. The edits of others change nothing on the device."""


def has_debians_tool(name: str) -> bool:
    """Return whether the tool of the layout is Debian's. Alpine's is a program of its own."""
    return isinstance(LAYOUTS[name].tool, UpdateCaCertificates) and name != "alpine"


def _debians_tool(name: str, base: Path, directory: Path, c_rehash: Path) -> Device:
    """Return a device with the layout's edition of Debian's tool."""
    edited = {UPDATE: _edited(base, directory, UPDATE, _EDITS[name])} if name in _EDITS else {}
    return Device(base, {REHASH: c_rehash, **edited})


def _run(tree: LayoutTree, base: Path, directory: Path) -> None:
    c_rehash = _edited(base, directory, REHASH, as_upstream_has_it)
    if has_debians_tool(tree.family.name):
        device = _debians_tool(tree.family.name, base, directory, c_rehash)
        assert "0 added, 0 removed; done." in device.run(tree.path, "/usr/sbin/update-ca-certificates")
        return
    if tree.family.name == "openwrt":
        Device(base).run(tree.path, "openssl", "rehash", "/etc/ssl/certs")
        return
    if tree.family.name == "photon":
        Device(base).run(tree.path, "bash", "-ec", _PHOTON)
        made = tree.path / "etc/ssl/bundle"
        assert made.read_bytes() == (tree.path / "etc/pki/tls/certs/ca-bundle.crt").read_bytes()
        made.unlink()
        return
    device = Device(base, {REHASH: c_rehash})
    if tree.family.name == "buildroot":
        # Its hook puts the bundle there after c_rehash, which would link a bundle by its first certificate.
        device.run(tree.path, "sh", "-c", _BUILDROOT_LOOP)
        device.run(tree.path, "sh", "-c", _WITHOUT_BUNDLE)
    else:
        device.run(tree.path, "c_rehash", "/etc/ssl/certs")


_PHOTON = """
openssl rehash /etc/ssl/certs/
find -L /etc/ssl/certs/ -type l -delete
LC_ALL=C
cat /etc/ssl/certs/*.pem > /etc/ssl/bundle
"""
"""rehash_ca_certificates.sh of Photon OS; its bundle is in /etc/pki, which the real tree has not."""

_WITHOUT_BUNDLE = """
cd /etc/ssl/certs && mv ca-certificates.crt /etc/ssl/aside && c_rehash . && mv /etc/ssl/aside ca-certificates.crt
"""


def _edited(base: Path, directory: Path, name: str, edit: Callable[[str], str]) -> Path:
    file = directory / name.rpartition("/")[2]
    file.write_text(edit((base / name).read_text()))
    file.chmod(0o755)
    return file


# -- p11-kit -----------------------------------------------------------------------------------------------


def trust_extract(tree: LayoutTree, script: Script, directory: Path) -> None:
    """The tree contains what the distribution's script makes the real tool write.

    Where several files are in a directory of sources the tool takes them as readdir gives them, and we by name: what
    follows one another in a file is compared in order only where that order is not an accident.
    """
    tool = TrustTool(tree.path / token[1:] for token in script.layout.tokens)
    script.run(tool, directory)
    for path, *_ in script.calls:
        ours, theirs = tree.path / path, directory / path
        if theirs.is_dir():
            assert _extracted(contents(ours)) == contents(theirs)
        else:
            comments = script.comments.get(path, "").encode()
            assert _parts(ours, comments) == _parts(theirs, comments)
            assert ours.stat().st_mode == theirs.stat().st_mode


def _extracted(found: dict[str, object]) -> dict[str, object]:
    """Without the links to bundles, which the script makes after the extraction."""
    return {name: each for name, each in found.items() if not name.endswith(".crt")}


def _parts(file: Path, comments: bytes) -> list[object]:
    """What is in a file behind the ``comments`` that it begins with."""
    data = file.read_bytes()
    assert data.startswith(comments)
    data = data.removeprefix(comments)
    if data.startswith(b"\xfe\xed\xfe\xed"):
        return sorted(read_keystore(data), key=lambda entry: entry.alias)
    if data.startswith(b"\xa1\x59\xc0\xa5"):
        return sorted(data.split(data[:16]))
    return sorted(re.split(rb"(?m)(?=^#)|(?<=-----END CERTIFICATE-----\n)", data))
