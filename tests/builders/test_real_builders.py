"""The real builders of Debian, over real trees: what the page prints is run, and a program of the image judges."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.judges import by_curl, by_openssl
from tests.builders.workshop import Workshop, printed
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, peer
from tests.support.trees import RealTree
from tests.support.upgrade_tree import _archive

pytestmark = pytest.mark.slow

MKOSI = """\
[Distribution]
Distribution=debian
Release=bookworm
Mirror={mirror}
[Output]
Format=directory
Output=image
[Content]
Packages=ca-certificates,openssl
[Host]
NspawnKeepUnit=yes
"""

LIVE_BUILD = """
lb config --distribution bookworm --system normal --linux-packages none --initramfs none --bootloaders "" \\
    --firmware-chroot false --firmware-binary false --security false --updates false --apt-recommends false \\
    --apt-indices false --cache false --memtest none --checksums none --binary-images tar --chroot-filesystem none \\
    --mirror-bootstrap "$MIRROR" --mirror-chroot "$MIRROR" --mirror-binary "$MIRROR"
"""

EMPTY_ETC = """
cd "$1"
mkdir root
unsquashfs -quiet -no-progress -offset "$3" -dest root/usr "$2" >/dev/null
for name in bin lib lib64 sbin; do ln -s "usr/$name" "root/$name"; done
mkdir root/etc root/tmp
systemd-tmpfiles --root="$PWD/root" --create --prefix=/etc
"""


def test_mkosi_runs_the_script_over_its_tree(workshop: Workshop, released_tar: Path, port: int):
    peer("mkosi")
    workshop.take_for_debootstrap(released_tar)
    (workshop.path / "mkosi.default").write_text(MKOSI.format(mirror=_archive("bookworm")))
    workshop.follow("mkosi", namespace=True)
    image = RealTree(workshop.path / "image")
    try:
        assert by_openssl(image, port)
    finally:
        shutil.rmtree(image.path)


def test_debos_includes_the_recipe(workshop: Workshop, tree: RealTree, port: int):
    peer("debos")
    (own,) = printed("debos", "yaml")
    (workshop.path / "image.yaml").write_text(own.text)
    workshop.run("tar --numeric-owner -C rootfs -czf rootfs.tar.gz .")
    workshop.follow("debos", namespace=True)
    image = RealTree(workshop.path / "image")
    image.path.mkdir()
    workshop.run("tar --numeric-owner -xpf image.tar.gz -C image")
    assert by_curl(image, port) and not by_curl(tree, port)


def test_live_build_runs_the_hook(workshop: Workshop, released_tar: Path, port: int):
    peer("lb")
    workshop.take_for_debootstrap(released_tar)
    workshop.run(LIVE_BUILD, MIRROR=_archive("bookworm"))
    workshop.follow("live-build", namespace=True)
    image = RealTree(workshop.path / "chroot")
    try:
        assert by_openssl(image, port)
        assert not (image.path / "live-build/config/rootfs-trust").exists()
    finally:
        shutil.rmtree(image.path)


def test_packer_runs_the_provisioner(workshop: Workshop, tree: RealTree, port: int):
    peer("packer")
    assert not by_curl(tree, port)
    workshop.follow("Packer", CHECKPOINT_DISABLE="1")
    assert by_curl(tree, port)


def test_systemd_fills_an_empty_etc_from_the_partition(workshop: Workshop, tree: RealTree, port: int):
    needs_mounts()
    peer("unsquashfs")
    workshop.follow("systemd: an empty /etc, and systemd-repart")
    image = workshop.path / "usr.raw"
    table = workshop.run(f"sfdisk --json {image}")
    offset = int(table.partition('"start":')[2].split(",")[0]) * 512
    done = subprocess.run(
        [peer("sh"), "-eu", "-c", EMPTY_ETC, "sh", workshop.path, image, str(offset)],
        env=PLAIN_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert by_curl(RealTree(workshop.path / "root"), port)


@pytest.mark.parametrize("local", ["its own", "a link into /var"])
def test_ostree_deploys_it(workshop: Workshop, tree: RealTree, port: int, local: str):
    peer("ostree")
    path = tree.path
    (path / "etc").rename(path / "usr/etc")
    shutil.rmtree(path / "dev")  # OSTree takes no devices
    (path / "usr/lib/modules/1").mkdir(parents=True)
    (path / "usr/lib/modules/1/vmlinuz").write_text("no kernel")
    if local != "its own":
        shutil.rmtree(path / "usr/local")
        (path / "usr/local").symlink_to("../var/usrlocal")
    workshop.run("ostree init --repo=repo --mode=bare")
    workshop.follow("OSTree")
    assert not (path / "etc").exists() and (path / "usr/etc").is_dir()
    workshop.run(
        "mkdir sysroot; ostree admin init-fs sysroot; ostree admin os-init --sysroot=sysroot acme\n"
        "ostree pull-local --repo=sysroot/ostree/repo repo os\n"
        "ostree admin deploy --sysroot=sysroot --os=acme os"
    )
    (deployment,) = (path for path in (workshop.path / "sysroot/ostree/deploy/acme/deploy").iterdir() if path.is_dir())
    workshop.run(f"chattr -i {deployment}")
    assert by_curl(RealTree(deployment), port)
