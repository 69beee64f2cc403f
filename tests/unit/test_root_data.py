"""The collected root data is well-formed, sorted, and tells of what is known from elsewhere."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

from rootfs_trust.store.cloud_roots import PRESETS

DATA = json.loads((Path(__file__).parents[2] / "root_data/roots.json").read_text())
ROOTS = {each["sha256"]: each for each in DATA["roots"]}
REASONS = ("age", "cause", "expired", "replaced", "unknown")
AMAZON_1 = "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e"
GLOBALTRUST = "9a296a5182d1d451a2e37f439b74daafa267523329f90f9a0d2007c334e23c9a"


def test_every_entry_has_its_digests_dates_and_sources():
    keys = [(each["name"], each["sha256"]) for each in DATA["roots"]]
    assert keys == sorted(keys) and len(ROOTS) == len(keys)
    for each in DATA["roots"]:
        assert re.fullmatch("[0-9a-f]{64}", each["sha256"]) and re.fullmatch("[0-9a-f]{64}", each["spki"])
        assert each["since"]["source"]
        if "left" in each:
            date.fromisoformat(each["left"]["date"])
            assert each["left"]["reason"] in REASONS and each["left"]["source"]


def test_what_is_known_from_elsewhere():
    assert "left" not in ROOTS[AMAZON_1]
    left = ROOTS[GLOBALTRUST]["left"]
    assert left["reason"] == "cause" and "CVE-2024-39689" in left["note_source"]
    ids = {each for incident in DATA["incidents"] for each in incident["ids"]}
    assert {"CVE-2026-111943", "CVE-2022-23491", "CVE-2023-37920", "CVE-2024-39689"} <= ids


def test_the_roots_of_the_clouds_are_roots_of_the_table():
    for each in DATA["cloud_roots"]:
        root = ROOTS[each["sha256"]]
        assert (each["name"], each["spki"]) == (root["name"], root["spki"])
        assert "left" not in root
        assert set(each.get("vouches_for", ())) <= ROOTS.keys()


def test_a_store_of_the_roots_that_a_cloud_documents_lacks_none_of_them():
    """``base = "none"`` with a cloud installs these presets: what the cloud needs is among them."""
    for cloud, presets in PRESETS.items():
        documented = {each["sha256"]: each["need"] for each in DATA["cloud_roots"] if each["cloud"] == cloud}
        installed = {root.sha256 for root in presets}
        assert installed <= documented.keys()
        assert {each for each, need in documented.items() if need in ("required", "recommended")} <= installed


def test_no_root_that_an_incident_concerns_is_live():
    for incident in DATA["incidents"]:
        for each in incident["certificates"]:
            if "sha256" in each:
                assert "left" in ROOTS[each["sha256"]]
