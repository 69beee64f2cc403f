"""sbom: CycloneDX and SPDX, judged by the schemas and the models of those projects; the same tree, the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_python_model import v3_0_1 as spdx

from tests.support.authority import DAY, NOW, Authority
from tests.support.command import rootfs_trust
from tests.support.peers import PLAIN_ENVIRONMENT
from tests.unit.cli.test_cost import run as run_blocked

FORMATS = ("cyclonedx", "spdx")
MINE = Authority("Ünïcode & <b>", not_after=NOW + 400 * DAY)


@pytest.fixture
def tree(command, debian, tmp_path):
    """The Debian tree with a certificate of its owner, whose name and whose file's name are odd."""
    (tmp_path / "mine.pem").write_bytes(MINE.pem)
    assert command("install", "--root", debian.path, "--cert", tmp_path / "mine.pem").status == 0
    odd = os.fsencode(debian.path) + b"/usr/local/share/ca-certificates/caf\xe9.crt"
    with open(odd, "wb") as file:
        file.write(Authority("Second").pem)
    assert command("install", "--root", debian.path).status == 0
    return debian


def cyclonedx_faults(text: str) -> list[object]:
    return list(JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True) or ())


def read_spdx(text: str) -> spdx.SHACLObjectSet:
    """As the official bindings read it, which hold every value against the model's constraints."""
    objects = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(text.encode()), objects)
    return objects


def by_type(text: str, kind: str) -> list[dict]:
    return [each for each in json.loads(text)["@graph"] if each["type"] == kind]


def made(command, root: object, form: str, *words: object) -> str:
    result = command("sbom", "--root", root, "--format", form, *words)
    assert (result.status, result.err) == (0, "")
    return result.out


def test_cyclonedx_is_valid_by_its_schema(command, tree):
    text = made(command, tree.path, "cyclonedx")
    assert cyclonedx_faults(text) == []
    assert cyclonedx_faults(text.replace('"certificate"', '"certificat"')), "the judge finds what is wrong"


def test_every_anchor_is_a_certificate_asset(command, tree):
    document = json.loads(made(command, tree.path, "cyclonedx"))
    anchors = command("list", "--root", tree.path, "--format", "json").document["anchors"]
    assets = {each["bom-ref"]: each for each in document["components"]}
    assert len(assets) == len(document["components"]) and len(anchors) == 5
    for anchor in anchors:
        asset = assets[f"certificate:{anchor['sha256']}"]
        said = asset["cryptoProperties"]["certificateProperties"]
        assert (asset["name"], said["subjectName"]) == (anchor["name"], anchor["subject"])
        assert said["notValidAfter"].replace("+00:00", "Z") == anchor["not_after"]
        assert assets[said["signatureAlgorithmRef"]]["name"] == anchor["signature"]
        key = assets[said["subjectPublicKeyRef"]]["cryptoProperties"]["relatedCryptoMaterialProperties"]
        assert f"{anchor['key'].split()[0]}-" in assets[key["algorithmRef"]]["name"]
        assert str(key["size"]) == anchor["key"].split()[1]
        values = [(each["name"], each["value"]) for each in asset["properties"]]
        assert ("rootfs-trust:origin", anchor["origin"]) in values
        assert {value for name, value in values if name == "rootfs-trust:output"} == set(anchor["paths"])


def test_the_digest_of_a_key_is_that_of_its_public_key_info(command, tree):
    document = json.loads(made(command, tree.path, "cyclonedx"))
    key = MINE.certificate.public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert f"key:{hashlib.sha256(info).hexdigest()}" in {each["bom-ref"] for each in document["components"]}


def test_every_reference_of_cyclonedx_leads_somewhere(command, tree):
    document = json.loads(made(command, tree.path, "cyclonedx"))
    there = {each["bom-ref"] for each in document["components"]} | {"rootfs"}
    for each in document["dependencies"]:
        assert {each["ref"], *each.get("dependsOn", [])} <= there | {"rootfs-trust"}


def test_spdx_is_read_back_by_the_official_model(command, tree):
    text = made(command, tree.path, "spdx")
    objects = read_spdx(text)
    assert objects.missing_ids == set()
    assert len(list(objects.foreach_type(spdx.SpdxDocument))) == 1
    with pytest.raises((ValueError, TypeError, KeyError)):
        read_spdx(text.replace('"contains"', '"contain"'))


def test_spdx_has_the_files_of_the_store_and_their_certificates(command, tree):
    text = made(command, tree.path, "spdx")
    names = {each["spdxId"]: each["name"] for each in by_type(text, "software_File")}
    digests = {each["name"]: each["verifiedUsing"][0]["hashValue"] for each in by_type(text, "software_File")[1:]}
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    assert digests[bundle] == hashlib.sha256((tree.path / bundle[1:]).read_bytes()).hexdigest()
    held = {each["from"]: each["to"] for each in by_type(text, "Relationship")}
    (holder,) = (spdx_id for spdx_id, name in names.items() if name.endswith("/mine.crt"))
    assert [each.rpartition("-")[2] for each in held[holder]] == [MINE.sha256]
    (package,) = (each for each in by_type(text, "software_Package") if each["name"] == "mine")
    assert package["validUntilTime"] == f"{MINE.certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    assert package["externalIdentifier"][0]["identifier"] == f"sha256:{MINE.sha256}"
    (note,) = (each for each in by_type(text, "Annotation") if each["subject"] == package["spdxId"])
    assert json.loads(note["statement"])["origin"] == "local"


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_bytes_on_every_host(tree, form, command, monkeypatch):
    first = made(command, tree.path, form)
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda *where: sorted(listed(*where), reverse=True))
    assert made(command, tree.path, form) == first
    hosts = (
        {"LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1"},
        {"LC_ALL": "C.UTF-8", "TZ": "America/New_York", "PYTHONHASHSEED": "2"},
    )
    for host in hosts:
        run = rootfs_trust("sbom", "--root", tree.path, "--format", form, environment={**PLAIN_ENVIRONMENT, **host})
        assert (run.returncode, run.stdout.decode()) == (0, first)


@pytest.mark.parametrize("form", FORMATS)
def test_the_time_is_the_one_that_is_given(command, tree, form, monkeypatch):
    plain = made(command, tree.path, form)
    assert '"1970-01-01T00:00:00' in plain
    given = made(command, tree.path, form, "--timestamp", "2027-01-31")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1801353600")
    assert made(command, tree.path, form) == given
    assert '"2027-01-31T00:00:00' in given and str(tree.path) not in given


def test_another_tree_has_another_serial_number(command, tree):
    before = json.loads(made(command, tree.path, "cyclonedx"))["serialNumber"]
    assert command("remove", "--root", tree.path, "mine").status == 0
    assert json.loads(made(command, tree.path, "cyclonedx"))["serialNumber"] != before


@pytest.mark.parametrize("form", FORMATS)
def test_a_tree_that_trusts_nothing(command, tmp_path, form):
    (tmp_path / "empty").mkdir()
    text = made(command, tmp_path / "empty", form)
    assert cyclonedx_faults(text) == [] if form == "cyclonedx" else read_spdx(text).missing_ids == set()


def test_the_sbom_file_is_written_and_named(command, tree, tmp_path):
    result = command("sbom", "--root", tree.path, "-o", tmp_path / "x.json")
    assert result.out == f"Wrote {tmp_path / 'x.json'}.\n"
    assert (tmp_path / "x.json").read_text() == made(command, tree.path, "cyclonedx")


@pytest.mark.parametrize(("form", "package"), [("cyclonedx", "cyclonedx"), ("spdx", "spdx_python_model")])
def test_a_package_that_is_missing_is_named(debian, form, package):
    status, out, errors, _ = run_blocked("sbom", "--root", debian.path, "--format", form, blocked=(package,))
    assert (status, out, len(errors)) == (2, "", 1)
    assert "install rootfs-trust[sbom]" in errors[0]
