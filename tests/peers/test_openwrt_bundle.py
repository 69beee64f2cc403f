"""OpenWrt's store against the commands of its package's recipe, and bundle-only against plain cat.

Neither has a tool on the device. What OpenWrt's ca-certificates package does when it is built is written down in its
Makefile (openwrt 046191f3a9, package/system/ca-certificates): copy the files, then for each name in the order of
``ls`` a link HASH.N with the first free number; ca-bundle is the files' ``cat``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.remove import remove
from tests.support.authority import Authority
from tests.support.debian_tree import contents
from tests.support.peers import peer

CERTS = "etc/ssl/certs"
BUNDLE = f"{CERTS}/ca-certificates.crt"

HASHED = """\
for file in $(LC_ALL=C ls -1); do
    case $file in ca-certificates.crt|*.[0-9]) continue;; esac
    hash=$(openssl x509 -hash -noout -in "$file") number=0
    while [ -h "$hash.$number" ]; do number=$((number + 1)); done
    ln -s "$file" "$hash.$number"
done
"""


@pytest.fixture(scope="module")
def shipped() -> dict[str, bytes]:
    """Three roots, two of them of one subject, so that numbers matter."""
    twins = [Authority("Twin Root"), Authority("Twin Root")]
    return {"A_Root.crt": twins[0].pem, "B_Root.crt": Authority("Other Root").pem, "C_Root.crt": twins[1].pem}


@pytest.fixture
def anchor(tmp_path: Path) -> Authority:
    made = Authority("Twin Root")
    (tmp_path / "B_ours.pem").write_bytes(made.pem)
    return made


def openwrt(directory: Path, files: dict[str, bytes], *, bundle: bool) -> Path:
    """A root as OpenWrt's build makes it of the certificate ``files``; the bundle has them in the order given.

    An anchor comes last there: what is in a bundle that is a source itself keeps its place.
    """
    (directory / CERTS).mkdir(parents=True)
    (directory / "etc/openwrt_release").write_text("DISTRIB_ID='OpenWrt'\n")
    for name, data in files.items():
        (directory / CERTS / name).write_bytes(data)
    environment = {"PATH": f"{os.path.dirname(peer('openssl'))}:/usr/bin:/bin"}
    subprocess.run(["/bin/sh", "-ec", HASHED], cwd=directory / CERTS, env=environment, check=True)
    if bundle:
        (directory / BUNDLE).write_bytes(b"".join(files.values()))
        (directory / "etc/ssl/cert.pem").symlink_to(f"/{BUNDLE}")
    return directory


@pytest.mark.parametrize("bundle", [False, True])
def test_the_store_that_openwrt_built_has_no_findings(tmp_path: Path, shipped: dict[str, bytes], bundle: bool) -> None:
    tree = openwrt(tmp_path / "rootfs", shipped, bundle=bundle)
    outcome = install(str(tree))
    assert (outcome.layout, outcome.actions) == ("openwrt", ())


@pytest.mark.parametrize("bundle", [False, True])
def test_an_anchor_more_is_what_openwrt_would_build_with_it(
    tmp_path: Path, shipped: dict[str, bytes], anchor: Authority, bundle: bool
) -> None:
    tree = openwrt(tmp_path / "rootfs", shipped, bundle=bundle)
    before = contents(tree)
    install(str(tree), InstallOptions(certs=[str(tmp_path / "B_ours.pem")]))
    expected = openwrt(tmp_path / "expected", {**shipped, "B_ours.crt": anchor.pem}, bundle=bundle)
    assert contents(tree) == contents(expected)
    remove(str(tree), ["B_ours"])
    assert contents(tree) == before


def test_ca_bundle_alone_gets_the_anchor_at_its_end_and_as_a_file(
    tmp_path: Path, shipped: dict[str, bytes], anchor: Authority
) -> None:
    tree = openwrt(tmp_path / "rootfs", {}, bundle=True)
    (tree / BUNDLE).write_bytes(b"".join(shipped.values()))
    install(str(tree), InstallOptions(certs=[str(tmp_path / "B_ours.pem")]))
    assert (tree / BUNDLE).read_bytes() == b"".join([*shipped.values(), anchor.pem])
    expected = openwrt(tmp_path / "expected", {"B_ours.crt": anchor.pem}, bundle=False)
    shutil.copy(tree / BUNDLE, expected / BUNDLE)
    (expected / "etc/ssl/cert.pem").symlink_to(f"/{BUNDLE}")
    assert contents(tree) == contents(expected)


@pytest.mark.parametrize("place", [BUNDLE, "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/cert.pem"])
def test_bundle_only_is_the_bundle_and_then_the_anchor(
    tmp_path: Path, shipped: dict[str, bytes], anchor: Authority, place: str
) -> None:
    tree = tmp_path / "rootfs"
    (tree / place).parent.mkdir(parents=True)
    (tree / place).write_bytes(b"# public roots\n" + b"".join(shipped.values()))
    (tree / "etc/os-release").write_text("ID=debian\n")
    before = contents(tree)
    outcome = install(str(tree), InstallOptions(certs=[str(tmp_path / "B_ours.pem")]))
    cat = subprocess.run(
        ["/bin/cat", "-", str(tmp_path / "B_ours.pem")], input=before[place][1], capture_output=True, check=True
    )
    assert outcome.layout == "bundle-only"
    assert contents(tree) == {**before, place: (before[place][0], cat.stdout)}
    remove(str(tree), [f"sha256:{anchor.sha256}"])
    assert contents(tree) == before
