"""Alpine's and Buildroot's stores: c_rehash over what install wrote, Buildroot's hook, and golden trees.

c_rehash is Debian's, from its own tree and run there, over the directories of ours. It makes links by the old hash as
well, which upstream's does only if asked to; ``as_upstream_has_it`` takes that one line out again, and what Debian's
own makes is compared as far as it can be: no link of ours goes or changes, and only old hashes are added.

No package of Alpine or Buildroot can be had where the tests run. What c_rehash does not make is held by golden
trees instead, each line with the fact it comes from.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.remove import remove
from rootfs_trust.x509 import parse_certificate, read_objects
from tests.support.authority import Authority
from tests.support.device import REHASH, Device, as_upstream_has_it
from tests.support.layout_trees import FAMILIES, LayoutTree, shipped_authority

MINE = Authority("My CA")
STORE = "etc/ssl/certs"
BUNDLE = f"{STORE}/ca-certificates.crt"
GOLDEN = Path(__file__).parents[1] / "golden"


@functools.cache
def authority(name: str) -> Authority:
    """The CA of that name; "Shared renewed" has name and key of "Shared"."""
    if name == "My CA":
        return MINE
    return shipped_authority("Shared").renewed() if name == "Shared renewed" else shipped_authority(name)


_FAMILIES = {family.name: family for family in FAMILIES}


@pytest.fixture
def new_tree(tmp_path: Path) -> Callable[[str], LayoutTree]:
    """A tree of the layout with what people leave there, and the anchor ``my-ca``."""

    def make(layout: str, name: str = "rootfs") -> LayoutTree:
        tree = LayoutTree(tmp_path / name, _FAMILIES[layout])
        file = tmp_path / "my-ca.pem"
        file.write_bytes(MINE.pem)
        _LIVED_IN[layout](tree)
        assert install(tree.root, InstallOptions([str(file)])).layout == layout
        return tree

    return make


def _alpine(tree: LayoutTree) -> None:
    """Any name is a source in the local directory but a hidden one; there are copies and a shared subject."""
    local = "usr/local/share/ca-certificates"
    tree.write(f"{local}/two.pem", authority("Shared").pem)
    tree.write(f"{local}/a, b (c).crt", authority("Shared renewed").pem)
    tree.write(f"{local}/no-newline", authority("No newline").pem.rstrip(b"\n"))
    tree.write(f"{local}/.hidden", authority("Hidden").pem)
    tree.write(f"{local}/below/deeper.crt", authority("Below").pem)


def _buildroot(tree: LayoutTree) -> None:
    tree.write("usr/share/ca-certificates/board/B.crt", authority("Shared").pem)
    tree.write("usr/share/ca-certificates/board/a.crt", authority("Shared renewed").pem)
    tree.write("usr/share/ca-certificates/board/README", b"no certificate")
    tree.write("usr/share/ca-certificates/top.crt", authority("Top").pem)


_LIVED_IN = {"alpine": _alpine, "buildroot": _buildroot}


def links(tree: LayoutTree) -> dict[str, str]:
    return {entry.name: os.readlink(entry) for entry in (tree.path / STORE).iterdir() if entry.is_symlink()}


@pytest.fixture
def upstream(amd64_base: Path, tmp_path: Path) -> Device:
    """A device whose c_rehash is as upstream's."""
    file = tmp_path / "c_rehash"
    file.write_text(as_upstream_has_it((amd64_base / REHASH).read_text()))
    file.chmod(0o755)
    return Device(amd64_base, {REHASH: file})


# -- c_rehash ----------------------------------------------------------------------------------------------


def test_alpines_hook_changes_nothing(new_tree: Callable[[str], LayoutTree], upstream: Device) -> None:
    """update.d/certhash runs c_rehash over the whole directory, the bundle in it: its first certificate is a copy."""
    tree = new_tree("alpine")
    before = tree.contents()
    said = upstream.run(tree.path, "c_rehash", "-v", f"/{STORE}")
    assert said.count("unlink ") == said.count("\nlink ") == len(hash_links(tree)) == 7
    assert tree.contents() == before


def test_buildroots_hook_changes_nothing(new_tree: Callable[[str], LayoutTree], upstream: Device) -> None:
    """Its bundle is put there after c_rehash, which would link it by its first certificate."""
    tree = new_tree("buildroot")
    before = tree.contents()
    aside = tree.path / "tmp" / "ca-certificates.crt"
    (tree.path / BUNDLE).rename(aside)
    said = upstream.run(tree.path, "c_rehash", "-v", f"/{STORE}")
    assert said.count("unlink ") == said.count("\nlink ") == len(hash_links(tree)) == 7
    aside.rename(tree.path / BUNDLE)
    assert tree.contents() == before


def hash_links(tree: LayoutTree) -> dict[str, str]:
    return {name: end for name, end in links(tree).items() if re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", name)}


@pytest.mark.parametrize("layout", _LIVED_IN)
def test_debians_own_c_rehash_only_adds_old_hashes(
    new_tree: Callable[[str], LayoutTree], amd64_base: Path, layout: str
) -> None:
    tree = new_tree(layout)
    before = links(tree)
    aside = tree.path / "tmp" / "ca-certificates.crt"
    (tree.path / BUNDLE).rename(aside)
    Device(amd64_base).run(tree.path, "c_rehash", f"/{STORE}")
    aside.rename(tree.path / BUNDLE)
    after = links(tree)
    assert {name: after[name] for name in before} == before
    held = {name: parse_certificate(_der(tree, name)) for name in before if name.endswith(".pem")}
    added = {name: end for name, end in after.items() if name not in before}
    assert len(added) == len(hash_links(tree)) / 2 == 7
    assert all(name.startswith(held[end].subject.hash_old) for name, end in added.items())


def _der(tree: LayoutTree, name: str) -> bytes:
    """The certificate behind a link of the store, whose text leads from the root or up to it."""
    source = os.readlink(tree.path / STORE / name).replace("../../..", "", 1)
    return read_objects((tree.path / source.lstrip("/")).read_bytes()).certificates[0][1].der


# -- Buildroot's hook --------------------------------------------------------------------------------------

FINALIZE = """
store=etc/ssl/certs
cd / && rm -f $store/*
find usr/share/ca-certificates -name '*.crt' | LC_COLLATE=C sort | while read -r file; do
    base=${file##*/}
    ln -sf "../../../$file" "$store/${base%.crt}.pem"
    cat "$file"
done >/etc/ssl/bundle
c_rehash $store
install -m 0644 /etc/ssl/bundle $store/ca-certificates.crt
rm /etc/ssl/bundle
"""
"""What Buildroot's finalize hook does (package/ca-certificates/ca-certificates.mk at 28f9f29b5e), in other words.

One difference: there the names of ``find`` are words of the shell, so that one with a blank falls apart; here they
are lines, as a person who puts such a file there expects.
"""


def test_the_store_is_what_buildroots_hook_makes(new_tree: Callable[[str], LayoutTree], upstream: Device) -> None:
    ours, theirs = new_tree("buildroot"), new_tree("buildroot", "theirs")
    for entry in (theirs.path / STORE).iterdir():
        entry.unlink()
    upstream.run(theirs.path, "sh", "-c", FINALIZE)
    assert ours.contents() == theirs.contents()


def test_after_a_removal_too(new_tree: Callable[[str], LayoutTree], upstream: Device) -> None:
    ours, theirs = new_tree("buildroot"), new_tree("buildroot", "theirs")
    remove(ours.root, ["B", "Gamma Root (2), Ltd", f"sha256:{MINE.sha256}"])
    for name in ("board/B.crt", "own/Gamma Root (2), Ltd.crt", "local/my-ca.crt"):
        (theirs.path / "usr/share/ca-certificates" / name).unlink()
    upstream.run(theirs.path, "sh", "-c", FINALIZE)
    assert ours.contents() == theirs.contents()


# -- golden trees ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", _LIVED_IN)
def test_the_golden_tree(new_tree: Callable[[str], LayoutTree], layout: str) -> None:
    """``KIND MODE NAME [-> TEXT]`` a line, below the fact that it follows; H(NAME) is the subject hash of a CA."""
    tree = new_tree(layout)
    text = (GOLDEN / f"{layout}.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    expected = {_named(line) for line in lines if not line.startswith("bundle ")}
    assert {_described(tree, name) for name in os.listdir(tree.path / STORE)} == expected
    bundle = b"".join(_bundled(line.removeprefix("bundle ")) for line in lines if line.startswith("bundle "))
    assert (tree.path / BUNDLE).read_bytes() == bundle
    assert _uncited(text) == []


def _named(line: str) -> str:
    return re.sub(r"H\((.*)\)(?=\.[0-9])", lambda found: parse_certificate(authority(found[1]).der).subject.hash, line)


def _described(tree: LayoutTree, name: str) -> str:
    path = tree.path / STORE / name
    if path.is_symlink():
        return f"link {name} -> {os.readlink(path)}"
    return f"file {path.stat().st_mode & 0o7777:04o} {name}"


def _bundled(words: str) -> bytes:
    """``NAME [+ blank line] [without newline]``: what one source is in the bundle."""
    name, *changes = words.split(" | ")
    pem = authority(name).pem
    data = pem.rstrip(b"\n") if "no newline" in changes else pem
    return data + b"\n" * changes.count("newline added")


def _uncited(text: str) -> list[str]:
    """Paragraphs of the golden tree that do not begin with their fact."""
    return [part for part in text.split("\n\n") if not re.match(r"# .*(facts|update-ca\.c|\.mk|c_rehash)", part)]
