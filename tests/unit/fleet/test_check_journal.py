"""``fleet --check --journal``: finished targets are not checked again, and a check that was killed is continued."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from rootfs_trust.fleet import check_work
from rootfs_trust.fleet.check import FleetCheck
from rootfs_trust.fleet.check_journal import CheckJournal
from rootfs_trust.fleet.run import FleetOptions
from tests.support.authority import Authority
from tests.support.command import rootfs_trust
from tests.support.images import LayoutDirectory, Tarball
from tests.unit.fleet.conftest import CONFIG, Fleet

TARGETS = (
    '[[target]]\nroot = "out/*/rootfs"\nconfig = "edge.toml"\n'
    '[[target]]\nimage = "images/*"\nconfig = "edge.toml"\n'
    '[[target]]\nroot = "out/00/rootfs"\nstate = "overlay:/etc=states/*"\nconfig = "edge.toml"\n'
)
ORDER = (
    *(f"out/{number:02}/rootfs" for number in range(3)),
    *("images/a.tar", "images/layout"),
    *(f"out/00/rootfs with overlay:/etc=states/{name}" for name in ("007", "008")),
)
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


@pytest.fixture
def mixed(fleet, openssl_engine) -> Fleet:
    """Three trees, of which one refuses a server, an image in two formats, and a tree with two states."""
    fleet.grow(3)
    assert rootfs_trust("fleet", fleet.file, "-q", cwd=fleet.directory.parent).returncode == 0
    server = Authority("Cloud CA")
    (fleet.directory / "cloud.pem").write_bytes(server.pem)
    (fleet.directory / "chain.pem").write_bytes(server.server("mqtt.example.com").pem)
    for tree in fleet.trees[:2]:
        assert rootfs_trust("install", "--root", tree.path, "--cert", fleet.directory / "cloud.pem").returncode == 0
    table = '[[server]]\nname = "cloud"\nchain = "chain.pem"\nhostname = "mqtt.example.com"\n'
    (fleet.directory / "edge.toml").write_text(f"{CONFIG}{table}")
    archive = Tarball().tree(fleet.trees[0].path, "").end()
    (fleet.directory / "images").mkdir()
    (fleet.directory / "images/a.tar").write_bytes(archive)
    layout = LayoutDirectory(fleet.directory / "images/layout")
    layout.index(layout.image(archive))
    for name in ("007", "008"):
        (fleet.directory / f"states/{name}").mkdir(parents=True)
    fleet.file.write_text(TARGETS)
    return fleet


def journal_of(fleet: Fleet) -> Path:
    return fleet.directory / "check.done"


def checked(fleet: Fleet, *words: object) -> subprocess.CompletedProcess[bytes]:
    words = ("fleet", fleet.file, "--check", "--jobs", 1, *words)
    done = rootfs_trust(*map(str, words), cwd=fleet.directory.parent)
    assert done.returncode == 1, done.stderr.decode()
    return done


def journaled(fleet: Fleet, *words: object) -> subprocess.CompletedProcess[bytes]:
    return checked(fleet, "--journal", journal_of(fleet), *words)


def checked_again(fleet: Fleet, monkeypatch, **options: object) -> list[str]:
    """The targets that a run with the journal checks, in this process."""
    found: list[str] = []
    result = check_work._result
    monkeypatch.setattr(check_work, "_result", lambda task, view: (found.append(task.name), result(task, view))[1])
    check = FleetCheck(str(fleet.file), FleetOptions(journal=str(journal_of(fleet))), **options)
    with CheckJournal(str(journal_of(fleet))) as journal:
        for task in check._tasks(journal):
            check_work._checked(task)
    monkeypatch.setattr(check_work, "_result", result)
    return found


def cut(fleet: Fleet, lines: int) -> None:
    """What a run leaves that is killed after so many results: the last line is incomplete.

    Results are in the order in which they arrived. Sorted, they are those of the first targets of the file.
    """
    head, *others = journal_of(fleet).read_bytes().splitlines(keepends=True)
    results = [line for line in others if b'"checked"' in line]
    results.sort(key=lambda line: ORDER.index(json.loads(line)["checked"]))
    journal_of(fleet).write_bytes(head + b"".join(results[:lines]) + results[lines][:40])


@pytest.mark.parametrize("lines", [0, 1, 4, 6])
def test_a_check_that_was_killed_is_continued_with_the_same_bytes(mixed, lines, monkeypatch):
    first = journaled(mixed)
    assert first.stdout.count(b"\n") == 7 and b"server-refused" in first.stdout
    cut(mixed, lines)
    assert len(checked_again(mixed, monkeypatch)) == 7 - lines
    second = journaled(mixed)
    assert second.stdout == first.stdout
    assert b"continues the check of 20" in second.stderr and b"continues" not in first.stderr
    table = first.stderr[first.stderr.index(b"STATUS") :]
    assert second.stderr.endswith(table)


def test_a_check_that_ended_begins_again_at_its_own_time(mixed, monkeypatch):
    journaled(mixed)
    assert len(checked_again(mixed, monkeypatch)) == 7
    at = ("--at", "2026-12-01T00:00:00Z")
    first = journaled(mixed, *at)
    assert b"continues" not in first.stderr
    second = journaled(mixed, *at)
    assert second.stdout == first.stdout == checked(mixed, *at).stdout


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (lambda fleet: (fleet.trees[1].path / BUNDLE).write_bytes(b""), ["out/01/rootfs"]),
        (lambda fleet: (fleet.directory / "images/a.tar").touch(), ["images/a.tar"]),
        (lambda fleet: (fleet.directory / "images/layout/index.json").touch(), ["images/layout"]),
        (
            lambda fleet: (fleet.directory / "states/007/ssl").mkdir(),
            ["out/00/rootfs with overlay:/etc=states/007"],
        ),
        (lambda fleet: (fleet.directory / "edge.toml").write_text(CONFIG), None),
        (
            lambda fleet: (fleet.directory / "chain.pem").write_bytes(Authority("X").server("mqtt.example.com").pem),
            None,
        ),
        (lambda fleet: (fleet.directory / "ca.pem").write_bytes(Authority("Y").pem), None),
    ],
)
def test_what_has_changed_is_checked_again(mixed, change, again, monkeypatch):
    everything = [line["target"] for line in map(json.loads, journaled(mixed).stdout.splitlines())]
    cut(mixed, 6)
    cut_off = ["out/00/rootfs with overlay:/etc=states/008"]
    assert checked_again(mixed, monkeypatch) == cut_off
    change(mixed)
    expected = everything if again is None else [each for each in everything if each in {*again, *cut_off}]
    assert checked_again(mixed, monkeypatch) == expected


def test_other_options_are_another_check(mixed, monkeypatch):
    journaled(mixed)
    cut(mixed, 6)
    assert len(checked_again(mixed, monkeypatch, fail_on="note")) == 7
    assert len(checked_again(mixed, monkeypatch, who="0" * 64)) == 7
    assert b"continues" not in journaled(mixed, "--fresh").stderr


def test_who_trusts_is_continued_too(mixed, monkeypatch):
    digest = Authority("Nobody's").sha256
    words = ("fleet", mixed.file, "--check", "--who-trusts", digest, "--journal", journal_of(mixed))
    first = rootfs_trust(*words, cwd=mixed.directory.parent)
    cut(mixed, 3)
    assert len(checked_again(mixed, monkeypatch, who=digest)) == 4
    assert rootfs_trust(*words, cwd=mixed.directory.parent).stdout == first.stdout


@pytest.mark.parametrize(
    "change", [{"findings": 3}, {"findings": [{"id": "unknown"}]}, {"places": [[]]}, {"policy": 1}]
)
def test_a_line_that_cannot_be_used_is_checked_again(mixed, change, monkeypatch):
    first = journaled(mixed)
    cut(mixed, 6)
    lines = journal_of(mixed).read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), **change})
    journal_of(mixed).write_text("\n".join(lines))
    assert checked_again(mixed, monkeypatch)[0] == "out/00/rootfs"
    assert journaled(mixed).stdout == first.stdout


def test_no_journal_is_kept_unless_asked_for_and_never_in_a_target(mixed):
    before = sorted(mixed.directory.iterdir())
    checked(mixed)
    assert sorted(mixed.directory.iterdir()) == before
    for place in (mixed.trees[0].path / "etc/journal", mixed.directory / "states/007/journal"):
        done = rootfs_trust("fleet", mixed.file, "--check", "--journal", place, cwd=mixed.directory.parent)
        assert done.returncode == 2 and b"is in the root filesystem of a target" in done.stderr
        assert not place.exists()


def test_a_check_and_a_run_that_writes_can_share_a_journal(mixed, monkeypatch):
    only_roots = '[[target]]\nroot = "out/*/rootfs"\nconfig = "edge.toml"\n'
    mixed.file.write_text(only_roots)
    words = ("fleet", mixed.file, "--journal", journal_of(mixed), "-q")
    assert rootfs_trust(*words, cwd=mixed.directory.parent).returncode == 0
    first = journaled(mixed)
    again = rootfs_trust(*words, cwd=mixed.directory.parent)
    assert {json.loads(line)["status"] for line in again.stdout.splitlines()} == {"skipped"}
    content = journal_of(mixed).read_text().splitlines(keepends=True)
    journal_of(mixed).write_text("".join(line for line in content if "ended" not in line))
    assert checked_again(mixed, monkeypatch) == []
    assert journaled(mixed).stdout == first.stdout
