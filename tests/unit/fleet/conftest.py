"""A small fleet: a few Debian-like trees, two configs with a CA each, and a fleet.toml."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from rootfs_trust import __version__
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.fleet.messages import Batch, JournalEntry, TargetConfig, Task
from rootfs_trust.fleet.policies import read_policy
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, contents, snapshot

AT = datetime.now(UTC)
FILE = '[[target]]\nroot = "out/*/rootfs"\nconfig = "edge.toml"\n'
CONFIG = '[[anchor]]\nfile = "ca.pem"\nreplace = true\n\n[[cloud]]\nkind = "c8y"\n'


class Fleet:
    def __init__(self, directory: Path, authority: Authority) -> None:
        self.directory = directory
        self.file = directory / "fleet.toml"
        self.journal = directory / "fleet.toml.done"
        directory.mkdir()
        self.file.write_text(FILE)
        (directory / "edge.toml").write_text(CONFIG)
        (directory / "ca.pem").write_bytes(authority.pem)
        self.trees: list[DebianTree] = []

    def grow(self, count: int) -> list[DebianTree]:
        """Several trees, each with different content."""
        for number in range(len(self.trees), count):
            tree = DebianTree(self.directory / f"out/{number:02}/rootfs")
            tree.write("etc/tedge/tedge.toml", f'# device {number}\n[device]\nid = "{number}"\n'.encode())
            self.trees.append(tree)
        return self.trees

    def copy(self, name: str) -> Fleet:
        """The same fleet in a directory beside this one, as it is now."""
        shutil.copytree(self.directory, self.directory.parent / name, symlinks=True)
        copy = object.__new__(Fleet)
        copy.directory = self.directory.parent / name
        copy.file, copy.journal = copy.directory / "fleet.toml", copy.directory / "fleet.toml.done"
        copy.trees = [object.__new__(DebianTree) for _ in self.trees]
        for mine, its in zip(copy.trees, self.trees, strict=True):
            mine.path = copy.directory / its.path.relative_to(self.directory)
        return copy

    def contents(self) -> dict[str, object]:
        return contents(self.directory / "out")

    def snapshot(self) -> dict[str, tuple[object, ...]]:
        return snapshot(self.directory / "out")

    def renew(self) -> Authority:
        """The CA of the config is another one from here on, under the same name."""
        ca = Authority("Renewed Root CA")
        (self.directory / "ca.pem").write_bytes(ca.pem)
        return ca

    def order(self, **options: object) -> TargetConfig:
        config = str(self.directory / "edge.toml")
        _, policy = read_policy(InstallOptions(config=config, at=AT))
        return TargetConfig(config, policy, AT, None, dry_run=False)._replace(**options)

    def batch(self, done: Mapping[str, JournalEntry] = MappingProxyType({}), **options: object) -> Batch:
        """All trees as one batch."""
        order = self.order(**options)
        tasks = [Task(self.name(tree), tree.root, order, None, done.get(self.name(tree))) for tree in self.trees]
        return Batch(0, __version__, tuple(tasks))

    def image_batch(self, *names: str) -> Batch:
        """The images of these names as one batch."""
        tasks = [
            Task(name, str(self.directory / "images" / name), self.order(), str(self.directory / "signed" / name))
            for name in names
        ]
        return Batch(0, __version__, tuple(tasks))

    def name(self, tree: DebianTree) -> str:
        return str(tree.path.relative_to(self.directory))


@pytest.fixture
def fleet(tmp_path, authority) -> Fleet:
    return Fleet(tmp_path / "fleet", authority)


def lines(out: str) -> list[dict[str, str]]:
    documents = [json.loads(line) for line in out.splitlines()]
    assert all(list(each) == ["target", "status", "digest", "error"] for each in documents)
    return documents


def statuses(out: str) -> dict[str, str]:
    return {each["target"]: each["status"] for each in lines(out)}
