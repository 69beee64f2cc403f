"""A real Debian tree made into what OpenEmbedded's recipes leave: no image of OE can be had from a package archive."""

from __future__ import annotations

from tests.support.device import UPDATE, as_oe_patches_it
from tests.support.trees import CONF, SHIPPED, RealTree

NOTHING = "0 added, 0 removed; done."
OE_CONF = (
    b"# Lines starting with # will be ignored\n# Lines starting with ! will remove certificate on next update\n#\n"
)


def made_oes(tree: RealTree, *, sysroot: bool = False) -> RealTree:
    """The tree as OE's recipes leave it: its script, its list, its OpenSSL's directory, its product's os-release."""
    script = tree.path / UPDATE
    text = script.read_text()
    script.unlink()  # one file with the other copies of the tree
    tree.write(UPDATE, as_oe_patches_it(text, sysroot=sysroot).encode()).chmod(0o755)
    for name in ("etc/os-release", "usr/lib/os-release"):
        (tree.path / name).unlink()
    tree.write("etc/os-release", b'ID=acme-gateway\nNAME="ACME gateway"\n')
    names = sorted(str(file.relative_to(tree.path / SHIPPED)) for file in tree.shipped())
    tree.write(CONF, OE_CONF + "".join(f"{name}\n" for name in names).encode())
    return tree
