"""rootfs_trust.bbclass, parsed and run by BitBake itself, over root filesystems that look like Yocto's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.authority import NOW, Authority
from tests.support.bitbake import LAYER, BuildDirectory, StorePlan
from tests.support.layout_trees import LayoutTree
from tests.support.trees import STORE, RealTree
from tests.support.yocto_tree import NOTHING, made_oes

CLASS = 'IMAGE_CLASSES += "rootfs_trust"'
TWO_LINES = ('ROOTFS_TRUST_CERTS = "certs/my-ca.pem"', 'ROOTFS_TRUST_CLOUDS = "c8y"')
UNCHECKED = 'ROOTFS_TRUST_CHECK = "off"'
TIMESTAMP = 1520598896


@pytest.fixture
def tree(yocto_tree: LayoutTree) -> LayoutTree:
    return yocto_tree


def parsed(build: BuildDirectory, *lines: str) -> StorePlan:
    build.configure(CLASS, *lines)
    return build.run(build.path / "my-image.bb")


def built(build: BuildDirectory, root: Path, *lines: str, tasks: tuple[str, ...] = ("do_rootfs",)) -> StorePlan:
    build.configure(CLASS, f'IMAGE_ROOTFS = "{root}"', *lines)
    return build.run(build.path / "my-image.bb", *tasks)


# -- do_rootfs ---------------------------------------------------------------------------------------------


def test_two_lines_install_the_anchor_and_the_settings(build: BuildDirectory, tree: LayoutTree, authority: Authority):
    done = built(build, tree.path, *TWO_LINES)
    assert done.status == 0, done.messages
    assert (tree.path / "usr/local/share/ca-certificates/my-ca.crt").read_bytes() == authority.pem
    assert authority.pem in (tree.path / STORE / "ca-certificates.crt").read_bytes()
    assert 'root_cert_path = "/etc/ssl/certs"' in (tree.path / "etc/tedge/tedge.toml").read_text()
    assert (tree.path / STORE / "Alpha_Root.pem").is_symlink()


def test_what_is_written_has_the_time_of_the_image(build: BuildDirectory, tree: LayoutTree):
    built(build, tree.path, *TWO_LINES)
    times = {name: os.lstat(tree.path / name).st_mtime for name in ("etc/tedge/tedge.toml", f"{STORE}/my-ca.pem")}
    assert set(times.values()) == {TIMESTAMP}


def test_without_a_time_of_the_image_the_tools_own_rule_holds(build: BuildDirectory, tree: LayoutTree):
    assert built(build, tree.path, *TWO_LINES, 'REPRODUCIBLE_TIMESTAMP_ROOTFS = ""').status == 0
    assert os.lstat(tree.path / "etc/tedge/tedge.toml").st_mtime > TIMESTAMP


def test_a_second_run_changes_nothing(build: BuildDirectory, tree: LayoutTree):
    built(build, tree.path, *TWO_LINES)
    before = tree.snapshot()
    assert built(build, tree.path, *TWO_LINES).status == 0
    assert tree.snapshot() == before


def test_without_any_variable_the_store_is_completed_with_what_packages_brought(
    build: BuildDirectory, tree: LayoutTree, other_authority: Authority
):
    tree.write("usr/local/share/ca-certificates/of-a-package.crt", other_authority.pem)
    assert built(build, tree.path).status == 0
    assert other_authority.pem in (tree.path / STORE / "ca-certificates.crt").read_bytes()
    assert not (tree.path / "etc/tedge").exists()


def test_a_configuration_is_read(build: BuildDirectory, tree: LayoutTree, authority: Authority):
    build.write("certs/rootfs-trust.toml", f'[[anchor]]\nfile = "my-ca.pem"\nsha256 = "{authority.sha256}"\n')
    assert built(build, tree.path, 'ROOTFS_TRUST_CONFIG = "certs/rootfs-trust.toml"').status == 0
    assert (tree.path / "usr/local/share/ca-certificates/my-ca.crt").exists()


def test_a_configuration_that_happens_to_lie_in_the_build_directory_is_not(build: BuildDirectory, tree: LayoutTree):
    build.write("rootfs-trust.toml", '[[anchor]]\nfile = "certs/my-ca.pem"\n')
    assert built(build, tree.path).status == 0
    assert not (tree.path / "usr/local/share/ca-certificates/my-ca.crt").exists()


def test_runtimes_get_the_certificates(build: BuildDirectory, tree: LayoutTree, authority: Authority):
    stores = [f"opt/{name}/lib/python3.11/site-packages/certifi/cacert.pem" for name in ("a", "b")]
    for store in stores:
        tree.write(store, b"# others\n")
    assert built(build, tree.path, *TWO_LINES, 'ROOTFS_TRUST_RUNTIMES = "certifi"').status == 0
    assert all(authority.pem in (tree.path / store).read_bytes() for store in stores)


def test_warnings_are_bitbakes_warnings(build: BuildDirectory, tree: LayoutTree):
    (warning,) = built(build, tree.path, *TWO_LINES).of_level("WARNING")
    assert warning.startswith("/etc/tedge/tedge.toml: the rootfs has no tedge user") and "[no-tedge-user]" in warning


def test_what_is_refused_ends_the_task_with_the_reason_and_changes_nothing(build: BuildDirectory, tree: LayoutTree):
    build.write("certs/my-ca.pem", Authority("Old", not_after=NOW - timedelta(days=1)).pem)
    before = tree.contents()
    done = built(build, tree.path, *TWO_LINES)
    assert done.status != 0
    (error,) = done.of_level("CRITICAL")
    assert error.startswith("rootfs-trust ended with status 2\n") and "expired" in error and "my-ca.pem" in error
    assert tree.contents() == before


def test_an_old_release_is_built_again_at_its_time(build: BuildDirectory, tree: LayoutTree):
    build.write("certs/my-ca.pem", Authority("Old", not_after=NOW - timedelta(days=1)).pem)
    at = (NOW - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert built(build, tree.path, *TWO_LINES, f'ROOTFS_TRUST_AT = "{at}"').status == 0


def test_options_are_passed_on(build: BuildDirectory, tree: LayoutTree, other_authority: Authority):
    built(build, tree.path, *TWO_LINES)
    build.write("certs/my-ca.pem", other_authority.pem)
    assert built(build, tree.path, *TWO_LINES).status != 0
    assert built(build, tree.path, *TWO_LINES, 'ROOTFS_TRUST_OPTIONS = "--replace my-ca"').status == 0


# -- the device --------------------------------------------------------------------------------------------


def test_the_device_trusts_the_ca_and_its_own_tool_finds_nothing_to_do(
    build: BuildDirectory, new_small_tree: Callable[..., RealTree], authority: Authority
):
    """The postinst of ca-certificates runs that tool, in the image or at the first boot."""
    tree = made_oes(new_small_tree())
    tree.write("tmp/server.pem", authority.server("c8y.example").pem)
    verify = ("openssl", "verify", "-no-CAfile", "-CApath", f"/{STORE}", "/tmp/server.pem")
    assert tree.run(*verify, check=False).returncode != 0
    assert built(build, tree.path, *TWO_LINES).status == 0
    assert tree.run(*verify).stdout == "/tmp/server.pem: OK\n"
    store = tree.store()
    assert NOTHING in tree.update_ca_certificates()
    assert tree.store() == store


# -- parsing -----------------------------------------------------------------------------------------------


def test_the_tasks_need_the_tool(build: BuildDirectory):
    depends = parsed(build, *TWO_LINES).depends
    assert {depends[task] for task in ("do_rootfs", "do_image_qa")} == {"rootfs-trust-native:do_populate_sysroot"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'ROOTFS_TRUST_CERTS = "certs/none.pem"',
            "ROOTFS_TRUST_CERTS names 'certs/none.pem', which does not exist; .*",
        ),
        ('ROOTFS_TRUST_CERTS = "/certs/my ca.pem"', "ROOTFS_TRUST_CERTS names '/certs/my', .* without spaces"),
        ('ROOTFS_TRUST_CONFIG = "none.toml"', "ROOTFS_TRUST_CONFIG names 'none.toml', which does not exist"),
        ('ROOTFS_TRUST_CONFIG = "a.toml b.toml"', "ROOTFS_TRUST_CONFIG has the value .* one file"),
        ('ROOTFS_TRUST_CLOUDS = "c8y gcp"', "ROOTFS_TRUST_CLOUDS has the value 'c8y gcp', .* c8y, aws, az"),
        ('ROOTFS_TRUST_CLOUDS = "c8yaws"', "ROOTFS_TRUST_CLOUDS has the value 'c8yaws'"),
        ('ROOTFS_TRUST_CLOUDS = "c8y@"', "ROOTFS_TRUST_CLOUDS has the value 'c8y@'"),
        ('ROOTFS_TRUST_LAYOUT = ""', "ROOTFS_TRUST_LAYOUT has the value '', .* or auto"),
        (
            'ROOTFS_TRUST_RUNTIMES = "java,node"',
            "ROOTFS_TRUST_RUNTIMES has the value 'java,node', .* names of runtimes",
        ),
        ('ROOTFS_TRUST_AT = "tomorrow"', "ROOTFS_TRUST_AT has the value 'tomorrow', .* 2027-01-31T12:00:00Z"),
        ('ROOTFS_TRUST_CHECK = "yes"', "ROOTFS_TRUST_CHECK has the value 'yes', .* error, warn or off"),
        ('ROOTFS_TRUST_CHECK = ""', "ROOTFS_TRUST_CHECK has the value '', .* error, warn or off"),
    ],
)
def test_a_bad_value_ends_the_parsing_with_a_hint(build: BuildDirectory, line: str, message: str):
    done = parsed(build, line)
    assert done.status != 0
    (fatal,) = done.of_level("CRITICAL")
    assert re.match(message, fatal)


@pytest.mark.parametrize(
    "line",
    [
        'ROOTFS_TRUST_CLOUDS = "  c8y   aws@edge_2 \\\n    az "',
        'ROOTFS_TRUST_AT = "2027-01-31"',
        'ROOTFS_TRUST_AT = "2027-01-31T12:00:00+01:00"',
        'ROOTFS_TRUST_AT = "1800000000"',
        'ROOTFS_TRUST_CHECK = "warn"',
        'ROOTFS_TRUST_LAYOUT = "auto"',
        'ROOTFS_TRUST_RUNTIMES = " java  node "',
        'ROOTFS_TRUST_CERTS = "certs"',
        'ROOTFS_TRUST_CERTS = "${TOPDIR}/certs/my-ca.pem certs"',
        'ROOTFS_TRUST_CERTS:pn-other-image = "none.pem"',
    ],
)
def test_good_values_parse(build: BuildDirectory, line: str):
    assert parsed(build, line).status == 0


def test_every_variable_has_a_weak_default_and_documentation():
    text = (LAYER / "classes-recipe/rootfs_trust.bbclass").read_text()
    variables = set(re.findall(r'"(ROOTFS_TRUST_[A-Z_]+)"', text)) - {"ROOTFS_TRUST_VARIABLES"}
    assert variables == set(re.findall(r"^(ROOTFS_TRUST_[A-Z_]+) \?\?= ", text, re.MULTILINE))
    assert variables | {"ROOTFS_TRUST_VARIABLES"} == set(
        re.findall(r"^(ROOTFS_TRUST_[A-Z_]+)\[doc\] = ", text, re.MULTILINE)
    )


def test_a_weak_default_gives_way_to_any_other(build: BuildDirectory):
    assert parsed(build, 'ROOTFS_TRUST_CHECK ?= "bad"').of_level("CRITICAL")


# -- hashes ------------------------------------------------------------------------------------------------


def test_do_rootfs_has_another_hash_for_another_certificate_alone(
    build: BuildDirectory, authority: Authority, other_authority: Authority
):
    first = parsed(build, *TWO_LINES).hashes["do_rootfs"]
    assert parsed(build, *TWO_LINES).hashes["do_rootfs"] == first
    build.write("certs/my-ca.pem", other_authority.pem)
    assert parsed(build, *TWO_LINES).hashes["do_rootfs"] != first
    build.write("certs/my-ca.pem", authority.pem)
    assert parsed(build, *TWO_LINES).hashes["do_rootfs"] == first


@pytest.mark.parametrize("line", ['ROOTFS_TRUST_CERTS = "certs"', 'ROOTFS_TRUST_CONFIG = "certs/rootfs-trust.toml"'])
def test_files_of_a_directory_and_of_a_configuration_count(
    build: BuildDirectory, other_authority: Authority, line: str
):
    build.write("certs/rootfs-trust.toml", '[[anchor]]\nfile = "my-ca.pem"\n')
    first = parsed(build, line).hashes["do_rootfs"]
    build.write("certs/my-ca.pem", other_authority.pem)
    assert parsed(build, line).hashes["do_rootfs"] != first


@pytest.mark.parametrize(
    "line",
    [
        'ROOTFS_TRUST_CLOUDS = "c8y aws"',
        'ROOTFS_TRUST_AT = "2027-01-31"',
        'ROOTFS_TRUST_LAYOUT = "auto"',
        'ROOTFS_TRUST_RUNTIMES = "auto"',
        'ROOTFS_TRUST_OPTIONS = "--adopt"',
    ],
)
def test_do_rootfs_has_another_hash_for_another_value(build: BuildDirectory, line: str):
    assert parsed(build, *TWO_LINES, line).hashes["do_rootfs"] != parsed(build, *TWO_LINES).hashes["do_rootfs"]


def test_how_it_is_checked_changes_the_check_alone(build: BuildDirectory):
    first = parsed(build, *TWO_LINES).hashes
    for line in (UNCHECKED, 'ROOTFS_TRUST_CHECK_OPTIONS = "--ignore expires-soon"'):
        other = parsed(build, *TWO_LINES, line).hashes
        assert other["do_rootfs"] == first["do_rootfs"]
        assert other["do_image_qa"] != first["do_image_qa"]
