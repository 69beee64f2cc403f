"""docs/yocto.md: its configurations and its recipe are built as they are printed, in a directory as it describes."""

from __future__ import annotations

import tomllib

import pytest

from tests.support.authority import Authority
from tests.support.bitbake import BuildDirectory
from tests.support.docs_blocks import blocks
from tests.support.layout_trees import LayoutTree
from tests.support.trees import LOCAL

PAGE = "docs/yocto.md"
CONFIGURATIONS = [block.text for block in blocks(PAGE) if block.language == "bitbake" and "IMAGE_CLASSES" in block.text]
(RECIPE,) = (block.text for block in blocks(PAGE) if block.language == "bitbake" and "inherit" in block.text)
(TOML,) = (block.text for block in blocks(PAGE) if block.language == "toml")


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_each_configuration_installs_the_certificate(
    build: BuildDirectory, yocto_tree: LayoutTree, authority, text: str
):
    tree = yocto_tree
    build.write("certs/rootfs-trust.toml", TOML)
    build.configure(text, f'IMAGE_ROOTFS = "{tree.path}"')
    done = build.run(build.path / "my-image.bb", "do_rootfs")
    assert done.status == 0, done.messages
    assert (tree.path / LOCAL / "my-ca.crt").read_bytes() == authority.pem
    settings = tree.path / "etc/tedge/tedge.toml"
    assert settings.exists() == ("CLOUDS" in text)
    if settings.exists():
        assert tomllib.loads(settings.read_text())["c8y"]["root_cert_path"] == "/etc/ssl/certs"


def test_the_recipe_makes_the_package(build: BuildDirectory, authority: Authority):
    recipe = build.write("my-cloud-ca_1.0.bb", RECIPE)
    build.write("tmp/work/my-cloud-ca/sources/my-ca.pem", authority.pem)
    assert build.run(recipe, "do_compile", "do_install").status == 0
    assert (build.path / "tmp/work/my-cloud-ca/image" / LOCAL / "my-ca.crt").read_bytes() == authority.pem
