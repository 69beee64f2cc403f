"""Builders that no Debian package brings: their recipes are called as those builders document it."""

from __future__ import annotations

import re

from tests.builders.judges import by_curl
from tests.builders.workshop import Workshop, printed
from tests.support.debian_tree import contents
from tests.support.layout_trees import FAMILIES, LayoutTree
from tests.support.overlay import run_over
from tests.support.trees import RealTree

BUILDROOT = next(family for family in FAMILIES if family.name == "buildroot")

PI_GEN = """
copy_previous() { mkdir -p "$ROOTFS_DIR"; cp -a "$PREV_ROOTFS_DIR/." "$ROOTFS_DIR/"; }
export -f copy_previous
cd pi-gen
export BASE_DIR=$PWD WORK_DIR=$PWD/work
source config
for STAGE_DIR in $STAGE_LIST; do
    export STAGE_DIR=$PWD/$STAGE_DIR STAGE_WORK_DIR=$WORK_DIR/$STAGE_DIR
    export ROOTFS_DIR=$STAGE_WORK_DIR/rootfs
    pushd "$STAGE_DIR"
    if [ -x prerun.sh ]; then ./prerun.sh; fi
    for SUB_STAGE_DIR in "$STAGE_DIR"/*; do
        [ -d "$SUB_STAGE_DIR" ] || continue
        pushd "$SUB_STAGE_DIR"
        if [ -x 00-run.sh ]; then ./00-run.sh; fi
        popd
    done
    popd
    export PREV_ROOTFS_DIR=$ROOTFS_DIR
done
"""
"""What build.sh does with a stage whose sub-stages have a 00-run.sh each (pi-gen 314262cb, run_stage)."""


def test_buildroot_calls_the_script_with_the_targets_directory(workshop: Workshop, port: int):
    """Twice, as every further ``make`` does (Buildroot's Makefile, target-finalize)."""
    workshop.follow("Buildroot")
    (setting,) = printed("Buildroot", "text")
    script = re.fullmatch(r'BR2_ROOTFS_POST_BUILD_SCRIPT="(.*)"\n', setting.text)
    assert script
    target = LayoutTree(workshop.path / "target", BUILDROOT)
    call = f'"{script[1]}" "$TARGET_DIR"'
    assert "layout buildroot" in workshop.run(call, TARGET_DIR=target.root, SOURCE_DATE_EPOCH="1700000000")
    first = target.contents()
    assert "Nothing to do" in workshop.run(call, TARGET_DIR=target.root)
    assert target.contents() == first
    (target.path / "usr/local/share/ca-certificates").mkdir(parents=True)  # a place for the mount
    url = f"https://localhost:{port}/"
    assert run_over(target.path, "curl", "--silent", "--noproxy", "*", url).stdout == "hello"


def test_pi_gen_runs_the_stage_and_exports_its_image(workshop: Workshop, tree: RealTree, port: int):
    for stage in ("stage0", "stage1", "stage2"):
        (workshop.path / "pi-gen" / stage).mkdir(parents=True)
    (workshop.path / "pi-gen/stage2/EXPORT_IMAGE").touch()
    (workshop.path / "pi-gen/work/stage2").mkdir(parents=True)
    (workshop.path / "pi-gen/work/stage2/rootfs").symlink_to(tree.path)
    (workshop.path / "pi-gen/config").write_text("IMG_NAME=acme\n")
    workshop.follow("pi-gen")
    before = contents(tree.path)
    workshop.run(f"bash -e <<'END'\n{PI_GEN}\nEND\n")
    built = RealTree(workshop.path / "pi-gen/work/stage-rootfs-trust/rootfs")
    assert by_curl(built, port) and not by_curl(tree, port)
    assert contents(tree.path) == before
    assert (workshop.path / "pi-gen/stage-rootfs-trust/EXPORT_IMAGE").exists()
