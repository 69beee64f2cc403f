"""What list tells of each certificate is what openssl tells of it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

from tests.support.command import rootfs_trust
from tests.support.peers import PLAIN_ENVIRONMENT, peer
from tests.support.trees import RealTree

_ASKED = ("-fingerprint", "-sha256", "-subject_hash", "-subject_hash_old", "-startdate", "-enddate")


def told_by_openssl(file: str) -> dict[str, str]:
    words = [peer("openssl"), "x509", "-in", file, "-noout", *_ASKED]
    done = subprocess.run(words, env=PLAIN_ENVIRONMENT, capture_output=True, text=True, check=True, timeout=60)
    digest, new, old, begin, end = done.stdout.splitlines()
    return {
        "sha256": digest.partition("=")[2].replace(":", "").lower(),
        "subject_hash": new,
        "subject_hash_old": old,
        "not_before": rfc3339(begin.partition("=")[2]),
        "not_after": rfc3339(end.partition("=")[2]),
    }


def rfc3339(text: str) -> str:
    return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_every_root_of_debian(amd64_tree: RealTree):
    done = rootfs_trust("list", "--root", amd64_tree.path, "--format", "json")
    anchors = json.loads(done.stdout)["anchors"]
    assert len(anchors) == len(amd64_tree.shipped()) > 100
    for each in anchors:
        (source,) = each["sources"]
        told = told_by_openssl(f"{amd64_tree.path}{source}")
        assert {key: each[key] for key in told} == told
        assert each["outputs"] == ["bundle", "directory"] and each["origin"] == "distribution"
