"""do_image_qa: ``rootfs-trust check`` over the finished root filesystem, and what its findings do to the build."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.authority import NOW, Authority
from tests.support.bitbake import BuildDirectory, StorePlan
from tests.support.layout_trees import LayoutTree
from tests.support.trees import STORE

LINES = ('IMAGE_CLASSES += "rootfs_trust"', 'ROOTFS_TRUST_CERTS = "certs/my-ca.pem"', 'ROOTFS_TRUST_CLOUDS = "c8y"')


def checked(build: BuildDirectory, tree: LayoutTree, *lines: str) -> StorePlan:
    build.configure(*LINES, f'IMAGE_ROOTFS = "{tree.path}"', *lines)
    return build.run(build.path / "my-image.bb", "do_image_qa")


@pytest.fixture
def tree(build: BuildDirectory, yocto_tree: LayoutTree) -> LayoutTree:
    """After do_rootfs. thin-edge.io's package has made its user."""
    yocto_tree.write("etc/passwd", b"root:x:0:0::/:/bin/sh\ntedge:x:970:970::/:/bin/false\n")
    yocto_tree.write("etc/group", b"root:x:0:\ntedge:x:970:\n")
    build.configure(*LINES, f'IMAGE_ROOTFS = "{yocto_tree.path}"')
    done = build.run(build.path / "my-image.bb", "do_rootfs")
    assert (done.status, done.of_level("WARNING")) == (0, [])
    return yocto_tree


def without_hash_links(tree: LayoutTree) -> None:
    """As a later command of the image might leave it."""
    for entry in (tree.path / STORE).iterdir():
        if entry.is_symlink() and entry.suffix == ".0":
            entry.unlink()


def test_what_the_class_has_installed_passes(build: BuildDirectory, tree: LayoutTree):
    before = tree.snapshot()
    done = checked(build, tree)
    assert (done.status, done.of_level("WARNING", "ERROR", "CRITICAL")) == (0, [])
    assert tree.snapshot() == before


def test_an_error_ends_the_build_and_says_what_is_wrong_and_how_to_fix_it(build: BuildDirectory, tree: LayoutTree):
    without_hash_links(tree)
    done = checked(build, tree)
    assert done.status != 0
    errors = done.of_level("ERROR")
    assert any("/etc/ssl/certs" in error and "(" in error and error.endswith("]") for error in errors)
    assert done.of_level("CRITICAL") == [
        'rootfs-trust check has found errors; set ROOTFS_TRUST_CHECK = "warn" to build the image anyway'
    ]


def test_warn_shows_the_same_as_warnings(build: BuildDirectory, tree: LayoutTree):
    without_hash_links(tree)
    errors = checked(build, tree).of_level("ERROR")
    done = checked(build, tree, 'ROOTFS_TRUST_CHECK = "warn"')
    assert (done.status, done.of_level("ERROR", "CRITICAL")) == (0, [])
    assert errors and set(errors) <= set(done.of_level("WARNING"))


def test_off_does_not_look(build: BuildDirectory, tree: LayoutTree):
    without_hash_links(tree)
    done = checked(build, tree, 'ROOTFS_TRUST_CHECK = "off"')
    assert (done.status, done.messages) == (0, [])


def test_a_warning_is_shown_and_the_build_goes_on(build: BuildDirectory, tree: LayoutTree, tmp_path: Path):
    """With the policy of the configuration: devices run longer than the certificate."""
    build.write("certs/rootfs-trust.toml", "[policy]\nmin_days_left = 36500\n")
    done = checked(build, tree, 'ROOTFS_TRUST_CONFIG = "certs/rootfs-trust.toml"')
    assert done.status == 0
    assert any("[expires-soon]" in warning for warning in done.of_level("WARNING"))


def test_the_time_is_that_of_the_installation(build: BuildDirectory, tree: LayoutTree):
    late = (NOW + timedelta(days=20000)).strftime("%Y-%m-%d")
    done = checked(build, tree, f'ROOTFS_TRUST_AT = "{late}"')
    assert done.status != 0 and any("expired" in error for error in done.of_level("ERROR"))


def test_options_are_passed_on(build: BuildDirectory, tree: LayoutTree):
    late = (NOW + timedelta(days=20000)).strftime("%Y-%m-%d")
    ignored = 'ROOTFS_TRUST_CHECK_OPTIONS = "--ignore expired"'
    done = checked(build, tree, f'ROOTFS_TRUST_AT = "{late}"', ignored)
    assert done.status == 0, done.messages


def test_a_check_that_cannot_run_ends_the_build(build: BuildDirectory, tree: LayoutTree):
    done = checked(build, tree, 'ROOTFS_TRUST_CHECK_OPTIONS = "--ignore no-such-finding"')
    (fatal,) = done.of_level("CRITICAL")
    assert fatal.startswith("rootfs-trust ended with status 2\n") and "no-such-finding" in fatal


def test_the_packages_certificates_are_checked_too(build: BuildDirectory, tree: LayoutTree):
    """Put there by a package after the store was written: what a second, late installation does."""
    tree.write("usr/local/share/ca-certificates/late.crt", Authority("Late").pem)
    assert checked(build, tree).status != 0
