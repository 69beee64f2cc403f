"""For each layout the program that would write its store next, and what it has to say of ours: nothing to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust.store.jks import read_keystore
from tests.peers.test_p11kit_layouts import SCRIPTS, Script
from tests.support.debian_tree import contents
from tests.support.device import REHASH, UPDATE, Device, as_upstream_has_it
from tests.support.layout_trees import LayoutTree, Tool
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
    tool = tree.family.tool
    if tool is Tool.TRUST_EXTRACT:
        trust_extract(tree, script_of(tree), directory / "extracted")
    elif tool is not Tool.NONE:  # nothing on such a device could write its bundle
        _run(tree, request.getfixturevalue("amd64_base"), directory)


def make_anew(tree: LayoutTree, request: pytest.FixtureRequest, directory: Path) -> None:
    """Let the layout's own program write its store into a tree from which the test has deleted it."""
    tool = tree.family.tool
    if tool is Tool.TRUST_EXTRACT:
        script = script_of(tree)
        for path, *_ in script.calls:
            _delete(tree.path / path)
        script.run(TrustTool(tree.path / token[1:] for token in script.layout.tokens), tree.path)
        return
    base = request.getfixturevalue("amd64_base")
    if tool is Tool.UPDATE_CA_CERTIFICATES:
        _debians_tool(tree, base, directory).run(tree.path, "/usr/sbin/update-ca-certificates", "--fresh")
    elif tool is Tool.BUILDROOTS_HOOK:
        _with_c_rehash(base, directory).run(tree.path, "sh", "-c", _WITHOUT_BUNDLE)
    elif tool is Tool.C_REHASH:
        _with_c_rehash(base, directory).run(tree.path, "c_rehash", "/etc/ssl/certs")
    else:
        Device(base).run(tree.path, "openssl", "rehash", "/etc/ssl/certs")


def script_of(tree: LayoutTree) -> Script:
    """Return the calls of ``trust extract`` in the script of the tree's distribution."""
    return next(each for each in SCRIPTS if each.layout.name == tree.family.name)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o755)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _debians_tool(tree: LayoutTree, base: Path, directory: Path) -> Device:
    """Return a device with the layout's edition of Debian's tool."""
    update = _edited(base, directory, UPDATE, tree.family.edits)
    return Device(base, {REHASH: _edited(base, directory, REHASH, as_upstream_has_it), UPDATE: update})


def _with_c_rehash(base: Path, directory: Path) -> Device:
    return Device(base, {REHASH: _edited(base, directory, REHASH, as_upstream_has_it)})


def _run(tree: LayoutTree, base: Path, directory: Path) -> None:
    match tree.family.tool:
        case Tool.UPDATE_CA_CERTIFICATES:
            device = _debians_tool(tree, base, directory)
            assert "0 added, 0 removed; done." in device.run(tree.path, "/usr/sbin/update-ca-certificates")
        case Tool.REHASH:
            Device(base).run(tree.path, "openssl", "rehash", "/etc/ssl/certs")
        case Tool.PHOTONS_SCRIPT:
            Device(base).run(tree.path, "bash", "-ec", _PHOTON)
            made = tree.path / "etc/ssl/bundle"
            assert made.read_bytes() == (tree.path / "etc/pki/tls/certs/ca-bundle.crt").read_bytes()
            made.unlink()
        case Tool.BUILDROOTS_HOOK:
            # Its hook puts the bundle there after c_rehash, which would link a bundle by its first certificate.
            device = _with_c_rehash(base, directory)
            device.run(tree.path, "sh", "-c", _BUILDROOT_LOOP)
            device.run(tree.path, "sh", "-c", _WITHOUT_BUNDLE)
        case Tool.C_REHASH:
            _with_c_rehash(base, directory).run(tree.path, "c_rehash", "/etc/ssl/certs")


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
