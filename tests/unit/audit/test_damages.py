"""A good tree is damaged in every way that findings name: each damage is found by its id, and nothing else is."""

from __future__ import annotations

import json
import os

import pytest

from rootfs_trust import CheckOptions, check
from rootfs_trust.audit.check import KINDS
from tests.unit.audit.damages import DAMAGES
from tests.unit.audit.good_tree import BUNDLE


def found(tree, config, asked=None):
    """Id and path of every finding."""
    options = CheckOptions(config=str(config), **(asked or {}))
    return {(finding.id, finding.path) for finding in check(tree.root, options)}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_each_damage_gives_its_finding_and_no_other(good, tmp_path, damage):
    config = tmp_path / "rootfs-trust.toml"
    config.write_text("")
    tree = good(damage.family, damage.clouds).copy(tmp_path / "root")
    before = found(tree, config)
    damage.do(tree)
    if damage.root_data is not None:
        table = tmp_path / "root-data.json"
        table.write_text(json.dumps(damage.root_data))
    config.write_text(f"[policy]\n{damage.policy}\n{damage.config}\n")
    asked = dict(damage.asked)
    if "states" in asked:
        asked["states"] = [spec.format(tmp_path) for spec in asked["states"]]
    if damage.root_data is not None:
        asked["root_data"] = str(table)
    assert {id_ for id_, _ in found(tree, config, asked) - before} == set(damage.ids)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives a file to another user")
def test_an_owner_of_the_build_host(good, tmp_path):
    tree = good("yocto", ()).copy(tmp_path / "root")
    os.chown(tree.path / BUNDLE, 1000, 1000)
    assert {finding.id for finding in check(tree.root)} == {"store-owner"}


def test_every_kind_of_finding_has_its_damage():
    assert {damage.ids[0] for damage in DAMAGES} | {"store-owner", "server-unjudged"} == KINDS.keys()
    assert len(DAMAGES) > 80
