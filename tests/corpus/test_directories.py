"""Every directory of the corpus gets the links of the real `openssl rehash`, save where its defects show.

The recorded answers are those of a directory with its earlier links. Where these made a difference the real tool is
asked again, on a copy without them.
"""

from __future__ import annotations

import json
import os
import posixpath
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from rootfs_trust.store.hash_links import HashedFile, is_hash_link_name, links, read_entry, rehashable

from .conftest import Corpus

STYLES = {"rehash": ("new",), "rehash_old": ("old",), "rehash_compat": ("new", "old")}
OPTIONS = {"rehash": (), "rehash_old": ("-old",), "rehash_compat": ("-compat",)}
MOST_LINKS_OF_OPENSSL = 256

# Directory: what makes the recorded answer differ from ours, by the letters of shared/facts/openssl.md.
EXCEPTIONS = {
    "blocked_0": "(e) a regular file named like a link is deleted, and a folder so named is an error",
    "blocked_1": "(a) a stale link keeps its number, (e) as above",
    "collide_prelinked_0": "numbers depend on the links that were there",
    "collide_prelinked_1": "(d) numbers read from uninitialised memory, (a), (c)",
    "crl_1": "earlier links; the CRL beside a certificate is lost",
    "crl_2": "(g) odd names stay; the CRL beside a certificate is lost",
    "links_2": "(a), (b), (c), (g)",
    "links_3": "(a), (b), (c), (g)",
    "overflow_1": "no more than 256 links of one hash",
    "pemforms_1": "the CRL beside a certificate is lost",
    "random_1": "(a), (c)",
    "random_2": "(a), (c)",
}


@dataclass
class Directory:
    """What lies in a directory before rehash, read from its archive: contents of files, targets of links."""

    name: str
    files: dict[str, bytes]
    symlinks: dict[str, str]
    directories: set[str]

    @classmethod
    def read(cls, archive: Path) -> Directory:
        directory = cls(archive.stem, {}, {}, set())
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.partition("/")[2]
                if member.issym():
                    directory.symlinks[name] = member.linkname
                elif member.isfile():
                    content = tar.extractfile(member)
                    assert content is not None
                    directory.files[name] = content.read()
                elif name:
                    directory.directories.add(name)
        return directory

    def entries(self) -> list[HashedFile]:
        """What the command reads: files of the directory itself, and symbolic links that are no hash links."""
        names = [name for name in (*self.files, *self.symlinks) if "/" not in name and rehashable(name)]
        contents = {name: self.content(name) for name in names if not is_hash_link_name(name)}
        return [read_entry(name, data) for name, data in contents.items() if data is not None]

    def content(self, name: str) -> bytes | None:
        for _ in range(40):
            if name not in self.symlinks:
                break
            name = posixpath.normpath(posixpath.join(posixpath.dirname(name), self.symlinks[name]))
        return self.files.get(name)

    def write_without_links(self, place: Path) -> None:
        """The same on disk, without anything that bears the name of a hash link."""
        for name in sorted(self.directories):
            if not is_hash_link_name(name.partition("/")[0]):
                (place / name).mkdir(parents=True, exist_ok=True)
        for name, data in self.files.items():
            if not is_hash_link_name(name.partition("/")[0]):
                (place / name).write_bytes(data)
        for name, target in self.symlinks.items():
            if not is_hash_link_name(name):
                (place / name).symlink_to(target)


def directories(corpus: Corpus) -> list[Directory]:
    archives = sorted((corpus.directory / "dirs").glob("*.tar"))
    return [Directory.read(archive) for archive in archives if not archive.stem.startswith("update")]


def hash_links(table: dict[str, str]) -> dict[str, str]:
    return {name: target for name, target in table.items() if is_hash_link_name(name)}


def recorded(corpus: Corpus, directory: Directory, tool: str) -> dict[str, str]:
    answers = json.loads((corpus.directory / "dirs" / f"{directory.name}.json").read_text())
    return hash_links(answers["tools"][tool]["links"])


def test_links_equal_the_recorded_ones_where_nothing_was_linked_before(corpus: Corpus) -> None:
    agreeing = set()
    for directory in directories(corpus):
        entries = directory.entries()
        if all(links(entries, STYLES[tool]) == recorded(corpus, directory, tool) for tool in STYLES):
            agreeing.add(directory.name)
    names = {directory.name for directory in directories(corpus)}
    assert len(names) > 20
    assert names - agreeing == set(EXCEPTIONS)


def test_links_equal_those_of_the_real_tool_on_a_clean_directory(corpus: Corpus, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is not there")
    for directory in directories(corpus):
        entries = [as_openssl_takes(entry) for entry in directory.entries()]
        for tool, styles in STYLES.items():
            place = tmp_path / directory.name / tool
            place.mkdir(parents=True)
            directory.write_without_links(place)
            ours = {name: target for name, target in links(entries, styles).items() if is_made(name)}
            assert ours == rehashed(place, tool), directory.name


def as_openssl_takes(entry: HashedFile) -> HashedFile:
    """The defect of its own that a clean directory still shows: a CRL beside a certificate is lost."""
    kinds = {thing.kind for thing in entry.linkables}
    kept = tuple(thing for thing in entry.linkables if len(kinds) == 1 or thing.kind == "certificate")
    return HashedFile(entry.name, kept)


def is_made(link: str) -> bool:
    """Whether the real tool makes links of so high a number."""
    return int(link.partition(".")[2].removeprefix("r")) < MOST_LINKS_OF_OPENSSL


def rehashed(place: Path, tool: str) -> dict[str, str]:
    # Dangling links and the like make it exit with their count; it does the rest all the same.
    subprocess.run(["openssl", "rehash", *OPTIONS[tool], "."], cwd=place, capture_output=True, check=False)
    return hash_links({path.name: str(path.readlink()) for path in place.iterdir() if path.is_symlink()})


@pytest.mark.parametrize("name", ["crl_1", "crl_2", "pemforms_1"])
def test_a_crl_beside_a_certificate_gets_its_link(corpus: Corpus, name: str) -> None:
    directory = Directory.read(corpus.directory / "dirs" / f"{name}.tar")
    entries = directory.entries()
    both = {entry.name for entry in entries if len(entry.linkables) == 2}
    held = {(thing.kind, thing.fingerprint) for entry in entries for thing in entry.linkables}
    linked = {thing for entry in entries for thing in entry.linkables if entry.name in links(entries).values()}
    assert both
    assert {(thing.kind, thing.fingerprint) for thing in linked} == held


def test_more_than_256_of_one_hash(corpus: Corpus) -> None:
    made = links(Directory.read(corpus.directory / "dirs" / "overflow_1.tar").entries())
    digits = next(iter(made)).partition(".")[0]
    assert set(made) == {f"{digits}.{number}" for number in range(len(made))}
    assert len(made) > MOST_LINKS_OF_OPENSSL
