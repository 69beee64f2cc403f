"""OpenEmbedded's update-ca-certificates over the store that install writes with the layout yocto.

No OE image can be had; the script is Debian's own, in a copy of Debian's own tree, with the differences of OE's
patches made by ``as_oe_patches_it``. The tree also gets the ID of a Yocto product and the directory of its OpenSSL.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command import install, rootfs_trust
from tests.support.trees import CONF, LOCAL, SHIPPED, STORE, RealTree
from tests.support.yocto_tree import NOTHING, made_oes

SYSROOT = "opt/build/rootfs"

NewTree = Callable[..., RealTree]


@pytest.fixture
def new_oe_tree(new_small_tree: NewTree) -> NewTree:
    return lambda like=None: new_small_tree(like=like) if like else made_oes(new_small_tree())


@pytest.fixture
def ca_file(authority: Authority, tmp_path: Path) -> Path:
    file = tmp_path / "my-ca.pem"
    file.write_bytes(authority.pem)
    return file


def link_texts(tree: RealTree) -> set[str]:
    """The links to sources, without the names that they end in."""
    links = [entry for entry in (tree.path / STORE).iterdir() if entry.is_symlink() and entry.suffix == ".pem"]
    return {os.path.dirname(os.readlink(entry)) for entry in links}


def without_links(tree: RealTree) -> RealTree:
    """The script's --fresh clears absolute links alone: none that it makes itself, with OE's patch."""
    for entry in (tree.path / STORE).iterdir():
        if entry.is_symlink():
            entry.unlink()
    return tree


def test_with_every_shipped_ca_the_script_finds_nothing_to_do_and_changes_nothing(
    amd64_tree: RealTree, ca_file: Path
) -> None:
    tree = made_oes(amd64_tree)
    assert "layout yocto" in install(tree.path, "--cert", ca_file).stdout.decode()
    store = tree.store()
    assert link_texts(tree) == {f"../../../{SHIPPED}/mozilla", f"../../../{LOCAL}"}
    assert NOTHING in tree.update_ca_certificates()
    assert tree.store() == store
    assert NOTHING in tree.update_ca_certificates("--fresh")
    assert tree.store() == store
    assert f"{len(tree.shipped()) + 1} added" in without_links(tree).update_ca_certificates()
    assert tree.store() == store
    assert b"Nothing to do" in install(tree.path, "--cert", ca_file).stdout


def test_the_list_of_an_unconfigured_tree_is_the_recipes(new_oe_tree: NewTree) -> None:
    tree = new_oe_tree()
    shipped = (tree.path / CONF).read_bytes()
    (tree.path / CONF).unlink()
    assert install(tree.path, "--layout", "yocto").returncode == 0
    assert (tree.path / CONF).read_bytes() == shipped
    assert NOTHING in tree.update_ca_certificates()


def _names_with_marks(tree: RealTree) -> None:
    for name in ("A b, c (d)", "ünï", "[x]{y}$z&", "-dash", ".hidden"):
        tree.write(f"{LOCAL}/{name}.crt", Authority(name).pem)
    tree.write(f"{SHIPPED}/own/Two (x), y.crt", Authority("Two").pem)
    with open(tree.path / CONF, "a") as conf:
        conf.write("own/Two (x), y.crt\n")


def _disabled_lines(tree: RealTree) -> None:
    lines = (tree.path / CONF).read_text().splitlines(keepends=True)
    (tree.path / CONF).write_text("".join(f"!{line}" if "GlobalSign" in line else line for line in lines))


def _debians_links(tree: RealTree) -> None:
    """A store that Debian's unpatched tool wrote: absolute links."""
    for entry in (tree.path / STORE).iterdir():
        if entry.is_symlink() and entry.suffix == ".pem":
            source = f"/{os.readlink(entry).lstrip('./')}"
            entry.unlink()
            entry.symlink_to(source)


@pytest.mark.parametrize(
    "live_in", [_names_with_marks, _disabled_lines, _debians_links], ids=lambda function: function.__name__.strip("_")
)
def test_a_rebuild_gives_what_a_fresh_run_of_the_script_gives(
    new_oe_tree: NewTree, live_in: Callable[[RealTree], None]
) -> None:
    ours = new_oe_tree()
    live_in(ours)
    theirs = new_oe_tree(like=ours)
    install(ours.path)
    without_links(theirs).update_ca_certificates()
    assert ours.store() == theirs.store()
    assert NOTHING in ours.update_ca_certificates()
    assert b"Nothing to do" in install(ours.path).stdout


def test_a_store_that_the_script_wrote_into_an_image_is_taken_over(new_small_tree: NewTree, ca_file: Path) -> None:
    """At build time OE runs it with --sysroot, and a double slash stands in every link (facts, section 1).

    Its next run on the device would write those links anew; ours reads as that run's.
    """
    builder = made_oes(new_small_tree(), sysroot=True)
    for name in ("etc/ssl/certs", "etc/ca-certificates/update.d", SHIPPED, LOCAL):
        (builder.path / SYSROOT / name).mkdir(parents=True)
    for file in builder.shipped():
        builder.write(f"{SYSROOT}/{file.relative_to(builder.path)}", file.read_bytes())
    builder.write(f"{SYSROOT}/{CONF}", (builder.path / CONF).read_bytes())
    builder.update_ca_certificates("--sysroot", f"/{SYSROOT}")
    image = RealTree(builder.path / SYSROOT)
    assert link_texts(image) == {f"../../..//{SHIPPED}/mozilla"}
    hashed = image.hash_links()
    bundle = (image.path / STORE / "ca-certificates.crt").read_bytes()

    install(image.path, "--layout", "yocto")
    assert link_texts(image) == {f"../../../{SHIPPED}/mozilla"}
    assert image.hash_links() == hashed
    assert (image.path / STORE / "ca-certificates.crt").read_bytes() == bundle

    device = made_oes(new_small_tree())
    device.update_ca_certificates("--fresh")
    assert image.store() == device.store()


def test_what_is_removed_stays_removed_when_the_script_runs(new_oe_tree: NewTree, ca_file: Path) -> None:
    tree = new_oe_tree()
    install(tree.path, "--cert", ca_file)
    for name in ("ISRG_Root_X1", "my-ca"):
        assert rootfs_trust("remove", "--root", tree.path, name).returncode == 0
    store = tree.store()
    assert not {"ISRG_Root_X1.pem", "my-ca.pem"} & set(store)
    assert NOTHING in tree.update_ca_certificates()
    assert tree.store() == store
    without_links(tree).update_ca_certificates()
    assert tree.store() == store
    assert "!mozilla/ISRG_Root_X1.crt" in (tree.path / CONF).read_text().splitlines()


def test_by_hash_links_alone_openssl_trusts_the_anchor(new_oe_tree: NewTree, authority: Authority, ca_file: Path):
    """OE's OpenSSL has no default bundle: what its clients find is found by the links."""
    tree = new_oe_tree()
    install(tree.path, "--cert", ca_file)
    tree.write("tmp/server.pem", authority.server("device.example").pem)
    verify = ("openssl", "verify", "-no-CAfile", "-CApath", f"/{STORE}", "/tmp/server.pem")
    assert "OK" in tree.run(*verify).stdout
    rootfs_trust("remove", "--root", tree.path, "my-ca")
    assert tree.run(*verify, check=False).returncode == 2


def test_that_an_edited_list_freezes_is_reported_once(new_oe_tree: NewTree) -> None:
    """Facts, section 9: the package manager keeps an edited conffile, so that new roots never enter."""
    tree = new_oe_tree()
    install(tree.path)
    for told in (["list-kept"], []):
        done = rootfs_trust("remove", "--root", tree.path, "ISRG_Root_X1", "--format", "json")
        warnings = json.loads(done.stdout)["warnings"]
        assert [each["id"] for each in warnings if each["path"] == f"/{CONF}"] == told
