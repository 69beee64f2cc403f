"""A clean store of each layout gives no finding that anybody has to mend, and a damaged one is seen in each."""

from __future__ import annotations

import shlex
import sys

import pytest

from rootfs_trust import CheckOptions, InstallOptions, check, install, remove
from rootfs_trust.audit.findings import NOTE
from rootfs_trust.cli.run import main
from rootfs_trust.x509 import parse_certificate
from tests.support import root_data
from tests.support.authority import Authority
from tests.support.layout_trees import ALPHA, FAMILIES, ODD, LayoutTree, Tool, shipped_authority

CA = Authority("My CA")
OUTPUTS = [family for family in FAMILIES if family.directories]
DIRECTORIES = {
    family.name: "/etc/ca-certificates/extracted/cadir" if family.name == "arch" else family.directories[0]
    for family in OUTPUTS
}
"""Where the hash links of a layout are made; on Arch they are repeated in /etc/ssl/certs."""
WITH_SOURCES = [family for family in OUTPUTS if family.local not in family.directories]
FLAT = [family for family in FAMILIES if family.tool is Tool.C_REHASH]
P11KIT = [family for family in FAMILIES if family.p11kit]
JAVA = [family for family in FAMILIES if any("cacerts" in path and "java" in path for path in family.files)]


def by_name(families):
    return pytest.mark.parametrize("family", families, ids=lambda family: family.name)


def built(tmp_path, family, *, with_anchor=True, clouds=()):
    tree = LayoutTree(tmp_path / "root", family)
    (tmp_path / "my-ca.pem").write_bytes(CA.pem)
    certs = [str(tmp_path / "my-ca.pem")] if with_anchor else []
    install(tree.root, InstallOptions(certs=certs, clouds=clouds))
    return tree


def found(tree):
    return {finding.id for finding in check(tree.root) if finding.level != NOTE}


def bundle_of(tree):
    """The first bundle of the layout, by its place on the host."""
    return (
        tree.path
        / next(
            path
            for path in tree.family.files
            if path.endswith((".crt", ".pem")) and "trust" not in path.rpartition("/")[2]
        )[1:]
    )


@by_name(FAMILIES)
@pytest.mark.parametrize("with_anchor", [False, True], ids=["as shipped", "with an anchor"])
def test_a_clean_store_gives_no_error_and_no_warning(tmp_path, family, with_anchor):
    clouds = ["c8y"] if with_anchor and family.directories else []
    tree = built(tmp_path, family, with_anchor=with_anchor, clouds=clouds)
    before = tree.snapshot()
    all_found = check(tree.root)
    assert [finding for finding in all_found if finding.level != NOTE] == []
    assert tree.snapshot() == before
    assert check(tree.root, CheckOptions(ignore=[finding.id for finding in all_found])) == ()


@by_name(FAMILIES)
def test_a_store_after_distrust_is_clean_too(tmp_path, family):
    tree = built(tmp_path, family)
    remove(tree.root, [family.names[0]])
    assert found(tree) == set()


@by_name(FAMILIES)
def test_a_store_of_one_anchor_is_clean_too(tmp_path, family):
    tree = LayoutTree(tmp_path / "root", family)
    (tmp_path / "my-ca.pem").write_bytes(CA.pem)
    config = tmp_path / "rootfs-trust.toml"
    config.write_text('[store]\nbase = "none"\n[[anchor]]\nfile = "my-ca.pem"\n')
    install(tree.root, InstallOptions(config=str(config)))
    assert found(tree) == set()


@by_name(OUTPUTS)
def test_a_hash_link_is_missing(tmp_path, family):
    tree = built(tmp_path, family)
    name = f"{parse_certificate(CA.der).subject.hash}.0"
    (tree.path / DIRECTORIES[family.name][1:] / name).unlink()
    assert found(tree) == {"hash-link-missing"}


@by_name(OUTPUTS)
def test_an_anchor_is_missing_from_the_bundle(tmp_path, family):
    tree = built(tmp_path, family)
    bundle = bundle_of(tree)
    content = bundle.read_bytes()
    assert content.count(CA.pem) == 1
    bundle.chmod(0o644)
    bundle.write_bytes(content.replace(CA.pem, b""))
    assert found(tree) == {"not-in-bundle"}


@by_name(FAMILIES)
def test_a_block_of_the_bundle_is_malformed(tmp_path, family):
    tree = built(tmp_path, family)
    bundle = bundle_of(tree)
    bundle.chmod(0o644)
    bundle.write_bytes(bundle.read_bytes() + b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    assert found(tree) == {"pem-malformed"}


@by_name(JAVA)
def test_javas_store_is_garbage(tmp_path, family):
    tree = built(tmp_path, family)
    store = tree.path / next(path for path in family.files if "java" in path)[1:]
    store.chmod(0o644)
    store.write_bytes(b"garbage")
    assert found(tree) == {"java-store-unreadable"}


@by_name(WITH_SOURCES)
def test_a_source_is_in_no_output(tmp_path, family):
    tree = built(tmp_path, family)
    tree.write(f"{family.local[1:]}/other.crt", Authority("Other CA").pem)
    assert found(tree) == {"not-in-store"}


@by_name(FLAT)
def test_a_source_of_any_name_is_read_by_alpines_tool(tmp_path, family):
    tree = built(tmp_path, family)
    tree.write(f"{family.local[1:]}/other.pem", Authority("Other CA").pem)
    assert found(tree) == {"not-in-store"}
    install(tree.root)
    assert found(tree) == set()


@by_name(P11KIT)
def test_what_the_blocklist_has_is_trusted_still(tmp_path, family):
    tree = built(tmp_path, family)
    tree.write(f"{family.local[1:].replace('anchors', 'blocklist')}/alpha.crt", shipped_authority(ALPHA).pem)
    assert found(tree) == {"distrusted-yet-trusted"}


@by_name(FAMILIES)
def test_the_command_of_check_removes_every_root_of_an_incident(tmp_path, family, monkeypatch):
    tree = LayoutTree(tmp_path / "root", family)
    install(tree.root, InstallOptions(drop_unsourced=True))
    concerned = (
        root_data.concerned(shipped_authority(ALPHA), "root"),
        root_data.concerned(shipped_authority(ODD), "cross-sign", by="spki"),
    )
    table = root_data.table(incidents=(root_data.incident(*concerned),))
    asked = CheckOptions(root_data=str(root_data.write(tmp_path / "roots.json", table)))
    compromised = [each for each in check(tree.root, asked) if each.id == "root-compromised"]
    assert len(compromised) == 2
    (command,) = {each.command for each in compromised}
    assert " TEST-2026-1 " in command
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code
    assert [each for each in check(tree.root, asked) if each.level != NOTE] == []
