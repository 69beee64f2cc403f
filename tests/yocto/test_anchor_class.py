"""rootfs_trust_anchor.bbclass, with the layer's own example recipe, run by BitBake itself."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.authority import NOW, Authority, pkcs7_pem
from tests.support.bitbake import LAYER, BuildDirectory, StorePlan
from tests.support.trees import LOCAL, STORE, RealTree
from tests.support.yocto_tree import NOTHING, made_oes

EXAMPLE = LAYER / "examples/my-cloud-ca_1.0.bb"
WORK = "tmp/work/my-cloud-ca"
PACKAGED = f"{WORK}/image/{LOCAL}"


@pytest.fixture
def recipe(build: BuildDirectory) -> Path:
    """A copy of the example, its certificate where do_unpack puts it."""
    unpack(build, (build.path / "certs/my-ca.pem").read_bytes())
    return build.write(EXAMPLE.name, EXAMPLE.read_text())


def unpack(build: BuildDirectory, content: bytes, name: str = "my-ca.pem") -> None:
    build.write(f"{WORK}/sources/{name}", content)


def packaged(build: BuildDirectory, recipe: Path) -> StorePlan:
    done = build.run(recipe, "do_compile", "do_install")
    assert done.status == 0, done.messages
    return done


def script(name: str, tree_path: str = "") -> str:
    """The body of a package's maintainer script, as a shell on the device gets it."""
    text = (LAYER / "classes-recipe/rootfs_trust_anchor.bbclass").read_text()
    body = re.search(rf"^{name}:\$\{{PN\}}\(\) \{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL)[1]
    return f'D="{tree_path}"\n' + body.replace("${sbindir}", "/usr/sbin")


def test_the_package_holds_the_anchor_as_the_store_wants_it(build: BuildDirectory, recipe: Path, authority: Authority):
    unpack(build, b"\xef\xbb\xbfIssued for you\r\n" + authority.pem.replace(b"\n", b"\r\n"))
    packaged(build, recipe)
    (file,) = (path for path in (build.path / WORK / "image").rglob("*") if path.is_file())
    assert file == build.path / PACKAGED / "my-ca.crt"
    assert file.read_bytes() == authority.pem
    assert file.stat().st_mode & 0o7777 == 0o644


def test_several_certificates_are_several_files(
    build: BuildDirectory, recipe: Path, authority: Authority, other_authority: Authority
):
    recipe.write_text(recipe.read_text().replace("file://my-ca.pem", "file://all.p7b"))
    unpack(build, pkcs7_pem(authority, other_authority), "all.p7b")
    packaged(build, recipe)
    contents = {path.read_bytes() for path in (build.path / PACKAGED).iterdir()}
    assert contents == {authority.pem, other_authority.pem}


def test_files_that_are_not_certificates_are_left_aside(build: BuildDirectory, recipe: Path):
    recipe.write_text(recipe.read_text().replace("file://my-ca.pem", "file://my-ca.pem file://notes.txt"))
    packaged(build, recipe)
    assert [path.name for path in (build.path / PACKAGED).iterdir()] == ["my-ca.crt"]


def test_what_is_packaged_before_does_not_stay(build: BuildDirectory, recipe: Path, other_authority: Authority):
    packaged(build, recipe)
    recipe.write_text(recipe.read_text().replace("my-ca.pem", "other.pem"))
    unpack(build, other_authority.pem, "other.pem")
    packaged(build, recipe)
    assert [path.name for path in (build.path / PACKAGED).iterdir()] == ["other.crt"]


def test_a_private_key_and_an_expired_certificate_are_refused(
    build: BuildDirectory, recipe: Path, authority: Authority
):
    for content, reason in (
        (authority.pem + authority.key_pem, "private key"),
        (Authority("Old", not_after=NOW - timedelta(days=1)).pem, "expired"),
    ):
        unpack(build, content)
        assert build.run(recipe, "do_compile").status != 0
        assert reason in (build.path / WORK / "temp/log.do_compile").read_text()


def test_an_old_release_is_built_again_at_its_time(build: BuildDirectory, recipe: Path):
    unpack(build, Authority("Old", not_after=NOW - timedelta(days=1)).pem)
    build.configure(f'ROOTFS_TRUST_AT = "{(NOW - timedelta(days=2)).date()}"')
    packaged(build, recipe)


def test_a_recipe_without_certificates_ends_the_parsing_with_a_hint(build: BuildDirectory, recipe: Path):
    recipe.write_text(recipe.read_text().replace("my-ca.pem", "my-ca.txt"))
    (fatal,) = build.run(recipe).of_level("CRITICAL")
    assert fatal == "ROOTFS_TRUST_ANCHORS is empty: add certificates to SRC_URI, as in file://my-ca.pem"


def test_the_image_class_completes_what_the_package_brings(
    build: BuildDirectory, recipe: Path, new_small_tree: Callable[..., RealTree], authority: Authority
):
    packaged(build, recipe)
    tree = made_oes(new_small_tree())
    tree.write("tmp/server.pem", authority.server("c8y.example").pem)
    shutil.copytree(build.path / WORK / "image", tree.path, dirs_exist_ok=True)
    build.configure('IMAGE_CLASSES += "rootfs_trust"', f'IMAGE_ROOTFS = "{tree.path}"')
    assert build.run(build.path / "my-image.bb", "do_rootfs").status == 0
    assert tree.run("openssl", "verify", "-no-CAfile", "/tmp/server.pem").stdout == "/tmp/server.pem: OK\n"
    assert NOTHING in tree.update_ca_certificates()


def test_on_a_device_the_package_enters_and_leaves_the_store(
    build: BuildDirectory, recipe: Path, new_small_tree: Callable[..., RealTree]
):
    packaged(build, recipe)
    tree = made_oes(new_small_tree())
    tree.update_ca_certificates()
    before = tree.store()
    shutil.copytree(build.path / WORK / "image", tree.path, dirs_exist_ok=True)
    assert "1 added" in tree.run("sh", "-e", "-c", script("pkg_postinst")).stdout
    assert "my-ca.pem" in tree.store()
    (tree.path / LOCAL / "my-ca.crt").unlink()
    tree.run("sh", "-e", "-c", script("pkg_postrm"))
    assert tree.store().keys() == before.keys()
    assert (tree.path / STORE / "ca-certificates.crt").read_bytes() == before["ca-certificates.crt"][1]


def test_in_an_image_the_package_asks_for_the_store_of_the_image(new_small_tree: Callable[..., RealTree]):
    tree = new_small_tree()
    tree.write("image/usr/sbin/update-ca-certificates", b'#!/bin/sh\necho "$@"\n').chmod(0o755)
    assert tree.run("sh", "-e", "-c", script("pkg_postinst", "/image")).stdout == "--sysroot /image\n"
    assert tree.run("sh", "-e", "-c", script("pkg_postrm", "/image")).stdout == ""
