"""sbom's SPDX compared with the JSON Schema that the SPDX project publishes; CycloneDX's is in the unit tests."""

from __future__ import annotations

import json
import subprocess
import zipfile

import pytest
from jsonschema import Draft202012Validator

from tests.support.authority import DAY, NOW, Authority
from tests.support.command import rootfs_trust
from tests.support.peers import peer, unavailable

pytestmark = pytest.mark.slow

LIBRARY = "spdx-v3jsonld-store", "1.0.1"
"""SPDX's own library for Java, which has the schema in it."""


@pytest.fixture(scope="module")
def schema(tmp_path_factory) -> Draft202012Validator:
    """The schema of SPDX 3.0.1, from that library's archive."""
    directory = tmp_path_factory.mktemp("spdx")
    artifact = ":".join(("org.spdx", *LIBRARY))
    words = ["-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={directory}"]
    done = subprocess.run(
        [peer("mvn"), *words], capture_output=True, text=True, check=False, timeout=300, cwd=directory
    )
    if done.returncode:
        unavailable(f"{artifact} cannot be had: {done.stdout}")
    with zipfile.ZipFile(directory / f"{'-'.join(LIBRARY)}.jar") as archive:
        found = json.loads(archive.read("resources/schema-v3.0.1.json"))
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def test_spdx_is_valid_by_the_official_schema(schema, tmp_path):
    """Two certificates, one of an odd name: the schema is large, and time grows with every element."""
    bundle = tmp_path / "rootfs/etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(Authority("Ünïcode & <b>", not_after=NOW + 400 * DAY).pem + Authority("Second").pem)
    done = rootfs_trust("sbom", "--root", tmp_path / "rootfs", "--format", "spdx", "--timestamp", "2027-01-31")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert sum(each["type"] == "Annotation" for each in document["@graph"]) == 2
    assert [error.message for error in schema.iter_errors(document)] == []
    (bom,) = (each for each in document["@graph"] if each["type"] == "software_Sbom")
    bom["software_sbomType"] = ["deploid"]
    assert not schema.is_valid(document), "the judge finds what is wrong"
