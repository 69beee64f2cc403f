"""Every fix that names a command works: run as printed, the finding is gone, and nothing new is found."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from rootfs_trust import CheckOptions, InstallOptions, check, install
from rootfs_trust.api.fixes import MAX_TRIED
from rootfs_trust.audit.check import KINDS
from rootfs_trust.audit.findings import NOTE
from rootfs_trust.cli.run import main
from tests.support import root_data
from tests.support.authority import DAY, NOW, Authority
from tests.unit.audit.damages import DAMAGES
from tests.unit.audit.good_tree import BUNDLE


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command line as a shell would."""
    words = shlex.split(line)
    if words[0] != "rootfs-trust":
        subprocess.run(line, shell=True, check=True)
        return
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code


def keys(found):
    return {finding.key for finding in found}


def above_notes(found):
    return keys(finding for finding in found if finding.level != NOTE)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_printed_command_fixes_what_was_found_and_brings_nothing_new(good, tmp_path, damage, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tree = good(damage.family, damage.clouds).copy(tmp_path / "tree")
    damage.do(tree)
    config = tmp_path / "rootfs-trust.toml"
    config.write_text(f"[policy]\n{damage.policy}\n{damage.config}\n")
    asked = dict(damage.asked)
    if "states" in asked:
        asked["states"] = [spec.format(tmp_path) for spec in asked["states"]]
    if damage.root_data is not None:
        asked["root_data"] = str(tmp_path / "root-data.json")
        (tmp_path / "root-data.json").write_text(json.dumps(damage.root_data))
    options = CheckOptions(config=str(config), **asked)
    found = check(tree.root, options)
    for number, line in enumerate(dict.fromkeys(finding.command for finding in found if finding.command)):
        copy = tree.copy(tmp_path / str(number))
        run(line.replace(tree.root, copy.root), monkeypatch)
        after = check(copy.root, options)
        assert above_notes(after) <= keys(found)
        for finding in found:
            assert finding.command != line or finding.key not in keys(after)


FIXED_BY_A_COMMAND = {
    *("anchor-missing", "build-host-link", "bundle-empty", "dangling-link", "distrusted-yet-trusted", "fence-bypassed"),
    *("forbidden", "hash-link-dangling", "hash-link-gap", "hash-link-missing", "hash-link-name", "hash-link-wrong"),
    *("no-hash-links", "no-store", "not-in-bundle", "not-in-directory", "not-in-java", "not-in-store"),
    *("output-missing", "pem-label", "store-unreadable", "store-writable", "thin-edge-unreadable"),
}


def test_these_kinds_are_fixed_by_a_command(good, tmp_path):
    """A fix by hand would be true as well, so that the test above alone could not fail for want of commands."""
    fixed = set()
    for number, damage in enumerate(DAMAGES):
        tree = good(damage.family, damage.clouds).copy(tmp_path / str(number))
        damage.do(tree)
        config = tmp_path / "rootfs-trust.toml"
        config.write_text(f"[policy]\n{damage.policy}\n{damage.config}\n")
        asked = {name: value for name, value in damage.asked.items() if name != "states"}
        found = check(tree.root, CheckOptions(config=str(config), **asked))
        fixed |= {finding.id for finding in found if finding.command}
        assert not [finding.id for finding in found if finding.command and finding.level == NOTE]
    assert fixed >= FIXED_BY_A_COMMAND


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_fix_by_hand_names_no_command_of_ours(kind):
    assert "rootfs-trust " not in kind.fix.replace("rootfs-trust.toml", "")


def test_a_command_quotes_the_path_of_the_tree(good, tmp_path, monkeypatch):
    tree = good("yocto", ()).copy(tmp_path / "my tree; true")
    tree.write(BUNDLE, b"")
    monkeypatch.chdir(tmp_path)
    (finding,) = check(tree.root)
    assert finding.fix == f"run {finding.command}" and shlex.split(finding.command)[3] == tree.root
    run(finding.command, monkeypatch)
    assert check(tree.root) == ()


def test_a_file_system_in_a_file_gets_fixes_by_hand(good, tmp_path):
    tree = good("yocto", ()).copy(tmp_path / "tree")
    tree.write(BUNDLE, b"")
    subprocess.run(["tar", "-cf", tmp_path / "tree.tar", "-C", tree.root, "."], check=True)
    (finding,) = check(str(tmp_path / "tree.tar"))
    assert not finding.command and finding.fix == finding.kind.fix


def with_compromised(good, tmp_path, names, *, incidents) -> tuple:
    """A tree that trusts CAs of these names, and root data in which so many incidents concern them in turn."""
    gone = [Authority(name) for name in names]
    tree = good("yocto", ()).copy(tmp_path / "tree")
    (tmp_path / "certs").mkdir()
    for authority, name in zip(gone, names, strict=True):
        (tmp_path / f"certs/{name.replace(' ', '-')}.pem").write_bytes(authority.pem)
    install(tree.root, InstallOptions(certs=[str(tmp_path / "certs")]))
    tables = tuple(
        root_data.incident(
            *(root_data.concerned(each, "root") for each in gone[number::incidents]), name=f"TEST-2026-{number}"
        )
        for number in range(incidents)
    )
    return tree, gone, str(root_data.write(tmp_path / "roots.json", root_data.table(incidents=tables)))


def commands_for_compromised(tree, data) -> set[str]:
    found = check(tree.root, CheckOptions(root_data=data))
    return {finding.command for finding in found if finding.id == "root-compromised"}


def test_one_command_removes_the_roots_of_many_incidents(good, tmp_path):
    """check tries a few commands only, and prints what it has tried."""
    count = MAX_TRIED + 2
    tree, _, data = with_compromised(good, tmp_path, [f"Gone {number}" for number in range(count)], incidents=count)
    (command,) = commands_for_compromised(tree, data)
    names = " ".join(f"TEST-2026-{number}" for number in range(count))
    assert command == f"rootfs-trust remove --root {tree.root} {names} --root-data {data}"


def test_a_command_that_was_not_tried_is_not_printed(good, tmp_path, monkeypatch):
    """Without its issuer, an intermediate gets a warning, so a removal of only the root is no fix."""
    root = Authority("Gone Root")
    inter = Authority("Gone Intermediate", issuer=root)
    tree = good("yocto", ()).copy(tmp_path / "tree")
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/root.pem").write_bytes(root.pem)
    (tmp_path / "certs/inter.pem").write_bytes(inter.pem)
    install(tree.root, InstallOptions(certs=[str(tmp_path / "certs")]))
    incidents = tuple(
        root_data.incident(root_data.concerned(each, kind), name=name)
        for each, kind, name in ((root, "root", "TEST-2026-1"), (inter, "intermediate", "TEST-2026-2"))
    )
    data = str(root_data.write(tmp_path / "roots.json", root_data.table(incidents=incidents)))
    before = above_notes(check(tree.root, CheckOptions(root_data=data)))
    for command in commands_for_compromised(tree, data):
        copy = tree.copy(tmp_path / "copy")
        run(command.replace(tree.root, copy.root), monkeypatch)
        after = above_notes(check(copy.root, CheckOptions(root_data=data)))
        assert after < before
        assert not after


@pytest.mark.parametrize("name", ["-x", "--dry-run", "--", "--root-data", "a\x1b[31mb", "two\nlines"])
def test_an_id_that_cannot_be_an_argument_is_not_in_a_command(good, tmp_path, name):
    tree = good("yocto", ()).copy(tmp_path / "tree")
    gone = Authority("Gone")
    (tmp_path / "gone.pem").write_bytes(gone.pem)
    install(tree.root, InstallOptions(certs=[str(tmp_path / "gone.pem")]))
    table = root_data.table(incidents=(root_data.incident(root_data.concerned(gone, "root"), name=name),))
    data = str(root_data.write(tmp_path / "roots.json", table))
    assert commands_for_compromised(tree, data) == {f"rootfs-trust remove --root {tree.root} sha256:{gone.sha256}"}


def test_one_command_removes_every_root_of_an_incident(good, tmp_path, monkeypatch):
    tree, gone, data = with_compromised(good, tmp_path, ["Gone 1", "Gone 2", "Gone 3"], incidents=1)
    (command,) = commands_for_compromised(tree, data)
    assert command == f"rootfs-trust remove --root {tree.root} TEST-2026-0 --root-data {data}"
    run(command, monkeypatch)
    assert not commands_for_compromised(tree, data)
    assert not any(each.pem in tree.read(BUNDLE) for each in gone)


def test_if_an_anchor_has_the_name_of_the_incident_each_root_gets_a_command_with_its_digest(good, tmp_path):
    """`remove` takes an installed anchor with this name for the argument."""
    tree, (_, gone), data = with_compromised(good, tmp_path, ["TEST-2026-0", "Gone"], incidents=1)
    table = root_data.table(incidents=(root_data.incident(root_data.concerned(gone, "root"), name="TEST-2026-0"),))
    root_data.write(tmp_path / "roots.json", table)
    assert commands_for_compromised(tree, data) == {f"rootfs-trust remove --root {tree.root} sha256:{gone.sha256}"}


def test_check_tries_a_few_commands_only(good, tmp_path):
    """Each takes as long as the check itself."""
    tree = good("yocto", ()).copy(tmp_path / "tree")
    for number in range(MAX_TRIED + 2):
        tree.write(f"etc/ssl/certs/foreign-{number}.pem", Authority(f"Foreign {number}").pem)
        (tree.path / f"etc/ssl/certs/foreign-{number}.pem").chmod(0o666)
    commands = [finding.command for finding in check(tree.root) if finding.id == "store-writable"]
    assert len(commands) == MAX_TRIED + 2
    assert 0 < len([each for each in commands if each]) <= MAX_TRIED


def test_the_mode_of_a_file_behind_a_link_is_changed_where_the_file_is(good, tmp_path):
    """On the host an absolute link leads out of the tree: chmod on it would change a file of the host."""
    tree = good("yocto", ()).copy(tmp_path / "tree")
    (tree.path / "etc/ssl").rename(tree.path / "usr/ssl")
    (tree.path / "etc/ssl").symlink_to("/usr/ssl")
    (tree.path / "usr/ssl/certs/ca-certificates.crt").chmod(0o600)
    commands = {finding.command for finding in check(tree.root) if finding.id == "store-unreadable"}
    assert commands == {f"chmod a+rX {tree.root}/usr/ssl/certs/ca-certificates.crt"}


def test_a_command_has_the_config_and_the_time_of_the_check(good, tmp_path):
    """An anchor of the config is missing: only an install with this config brings it."""
    tree = good("yocto", ()).copy(tmp_path / "tree")
    new = Authority("New CA", not_after=NOW + 10 * DAY)
    (tmp_path / "new-ca.pem").write_bytes(new.pem)
    config = tmp_path / "my config.toml"
    config.write_text('[[anchor]]\nfile = "new-ca.pem"\n')
    at = NOW + DAY
    (finding,) = check(tree.root, CheckOptions(config=str(config), at=at, select=["anchor-missing"]))
    assert shlex.split(finding.command) == [
        *("rootfs-trust", "install", "--root", tree.root, "--config", str(config), "--at", at.isoformat())
    ]
