"""install --provenance: judged by the messages that in-toto publishes, and by the bytes of the files themselves."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

from rootfs_trust import __version__
from rootfs_trust.layouts import LAYOUTS
from tests.support.authority import Authority
from tests.support.command import rootfs_trust
from tests.support.peers import PLAIN_ENVIRONMENT

CONFIG = """\
[policy]
min_rsa_bits = 3072

[[anchor]]
file = "certs/second.pem"
name = "second"

[[cloud]]
kind = "c8y"

[[render]]
template = "own.j2"
dest = "/etc/own.conf"
values = { since = 2026-01-31 }
"""


@pytest.fixture
def inputs(tmp_path, authority) -> Path:
    """A directory with a config, what it names, and one certificate more."""
    directory = tmp_path / "inputs"
    (directory / "certs").mkdir(parents=True)
    (directory / "my-ca.pem").write_bytes(authority.pem)
    (directory / "certs/second.pem").write_bytes(Authority("Second").pem)
    (directory / "own.j2").write_text("{{ trust.bundle }} since {{ values.since }}\n")
    (directory / "trust.toml").write_text(CONFIG)
    return directory


@pytest.fixture
def words(debian, inputs, tmp_path) -> tuple[object, ...]:
    given = ("--config", inputs / "trust.toml", "--cert", inputs / "my-ca.pem")
    return ("install", "--root", debian.path, *given, "--provenance", tmp_path / "out.json")


def made(path: Path) -> dict:
    """The document, after it was read by the messages of both projects, in which every field is known."""
    text = path.read_text()
    statement = Statement.copy_from_pb(json_format.Parse(text, Message()))
    statement.validate()
    document = json.loads(text)
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    provenance = json_format.ParseDict(document["predicate"], Provenance())
    for each in provenance.build_definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(each).validate()
        assert each.digest["sha256"]
    assert provenance.build_definition.build_type and provenance.run_details.builder.id
    return document


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def dependencies(document: dict, kind: str) -> dict[str, str]:
    found = document["predicate"]["buildDefinition"]["resolvedDependencies"]
    return {each["name"]: each["digest"]["sha256"] for each in found if each["annotations"]["kind"] == kind}


def test_the_judges_find_what_is_wrong(command, words, tmp_path):
    assert command(*words).status == 0
    good = (tmp_path / "out.json").read_text()
    for old, new in (('"_type"', '"type_"'), ('"builder"', '"build"'), ('"sha256"', '"sha_256"'), ("/v1", "/v0")):
        (tmp_path / "bad.json").write_text(good.replace(old, new))
        with pytest.raises((json_format.ParseError, ValueError, AssertionError)):
            made(tmp_path / "bad.json")


def test_subjects_are_the_files_of_the_tree(command, words, debian, tmp_path):
    assert command(*words).status == 0
    *files, links = made(tmp_path / "out.json")["subject"]
    names = [each["name"] for each in files]
    assert names == sorted(names) and "etc/own.conf" in names and "usr/local/share/ca-certificates/my-ca.crt" in names
    for each in files:
        assert each["digest"] == {"sha256": digest(debian.path / each["name"])}
    listing = base64.b64decode(links["content"])
    assert links["digest"] == {"sha256": sha256(listing).hexdigest()}
    told = [line.split(" -> ") for line in listing.decode().splitlines()]
    assert {path: os.readlink(debian.path / path) for path, _ in told} == dict(told)
    there = {path.relative_to(debian.path).as_posix() for path in (debian.path / "etc/ssl/certs").iterdir()}
    assert {path for path, _ in told} | set(names) >= there


def test_inputs_are_reported_by_their_digests(command, words, inputs, tmp_path, debian):
    assert command("install", "--root", debian.path).status == 0
    old_bundle = digest(debian.path / "etc/ssl/certs/ca-certificates.crt")
    assert command(*words).status == 0
    document = made(tmp_path / "out.json")
    assert dependencies(document, "config") == {"trust.toml": digest(inputs / "trust.toml")}
    assert dependencies(document, "template") == {"own.j2": digest(inputs / "own.j2")}
    anchors = {"my-ca.pem": digest(inputs / "my-ca.pem"), "second.pem": digest(inputs / "certs/second.pem")}
    assert dependencies(document, "anchor") == anchors
    read = dependencies(document, "rootfs")
    assert read.pop("etc/ssl/certs/ca-certificates.crt") == old_bundle
    assert read == {name: digest(debian.path / name) for name in read}
    shipped = debian.path / "usr/share/ca-certificates/mozilla"
    assert {path.relative_to(debian.path).as_posix() for path in shipped.iterdir()} <= read.keys()


def test_parameters_are_the_options_and_the_config(command, words, debian, tmp_path):
    assert command(*words, "--set", "aws.root_cert_path=/etc/ssl/certs", "--at", "2026-11-24").status == 0
    definition = made(tmp_path / "out.json")["predicate"]["buildDefinition"]
    parameters = definition["externalParameters"]
    assert parameters["options"] == {
        "certs": ["my-ca.pem"],
        "set": ["aws.root_cert_path=/etc/ssl/certs"],
        "at": "2026-11-24T00:00:00Z",
    }
    config = parameters["config"]
    assert config["policy"]["min_rsa_bits"] == 3072
    assert [(each["file"], each["name"]) for each in config["anchor"]] == [("second.pem", "second")]
    assert config["render"] == [{"template": "own.j2", "dest": "/etc/own.conf", "mode": "0644", "replace": False}]
    assert definition["internalParameters"] == {"layout": "debian"}
    text = (tmp_path / "out.json").read_text()
    assert str(tmp_path) not in text and f'"rootfs-trust": "{__version__}"' in text


@pytest.mark.parametrize("environment", [False, True])
def test_times_are_reported_where_they_are_given(command, words, tmp_path, monkeypatch, environment):
    assert command(*words).status == 0
    assert "metadata" not in made(tmp_path / "out.json")["predicate"]["runDetails"]
    if environment:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1801353600")
    assert command(*words, *(() if environment else ("--timestamp", "2027-01-31"))).status == 0
    time = "2027-01-31T00:00:00Z"
    assert made(tmp_path / "out.json")["predicate"]["runDetails"]["metadata"] == {"startedOn": time, "finishedOn": time}


def test_the_same_bytes_on_every_host(debian, inputs, tmp_path):
    """Two copies at other paths, and hosts with another umask, locale, time zone and order of hashes."""
    (tmp_path / "other/deep").mkdir(parents=True)
    shutil.copytree(debian.path, tmp_path / "other/deep/tree", symlinks=True)
    shutil.copytree(inputs, tmp_path / "other/its-inputs")
    hosts = (
        (debian.path, inputs, 0o022, {"LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1"}),
        (tmp_path / "other/deep/tree", tmp_path / "other/its-inputs", 0o077, {"TZ": "UTC-8", "PYTHONHASHSEED": "2"}),
    )
    texts = []
    for number, (root, directory, umask, host) in enumerate(hosts):
        words = (
            "--config",
            directory / "trust.toml",
            "--cert",
            directory / "my-ca.pem",
            "--provenance",
            f"{number}.json",
        )
        environment = {**PLAIN_ENVIRONMENT, **host}
        done = rootfs_trust("install", "--root", root, *words, cwd=tmp_path, umask=umask, environment=environment)
        assert done.returncode == 0, done.stderr
        texts.append((tmp_path / f"{number}.json").read_bytes())
    assert texts[0] == texts[1]


def test_a_run_that_changes_nothing_tells_of_the_same_files(command, words, tmp_path):
    assert command(*words).status == 0
    first = made(tmp_path / "out.json")
    (tmp_path / "out.json").unlink()
    assert "Nothing to do" in command(*words).out
    again = made(tmp_path / "out.json")
    assert again["subject"] == first["subject"]
    assert command(*words).status == 0
    assert made(tmp_path / "out.json") == again


def test_standard_input_and_odd_names(command, debian, authority, tmp_path):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.pem")
    with open(odd, "wb") as file:
        file.write(Authority("Odd").pem)
    words = ("install", "--root", debian.path, "--cert", "-", "--cert", odd, "--provenance", tmp_path / "out.json")
    assert command(*words, stdin=authority.pem).status == 0
    assert dependencies(made(tmp_path / "out.json"), "anchor") == {
        "-": sha256(authority.pem).hexdigest(),
        "caf\\udce9.pem": sha256(Path(odd).read_bytes()).hexdigest(),
    }


@pytest.mark.parametrize(
    ("file", "more", "says"),
    [
        ("out.json", ("--dry-run",), "--provenance and --dry-run exclude each other"),
        ("rootfs/out.json", (), "is in the root filesystem"),
        ("link/out.json", (), "is in the root filesystem"),
        ("-", (), "standard output has the report"),
    ],
)
def test_what_is_refused(refused, tmp_path, debian, file, more, says):
    (tmp_path / "link").symlink_to(debian.path)
    place = file if file == "-" else tmp_path / file
    assert says in refused("--provenance", place, *more).document["errors"][0]["message"]
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_a_subject(command, tmp_path, layout):
    """Also in an empty tree, and where nothing is left to do."""
    (tmp_path / "empty").mkdir()
    words = ("install", "--root", tmp_path / "empty", "--layout", layout, "--provenance", tmp_path / "out.json")
    for _ in range(2):
        assert command(*words).status == 0
        assert all(each["digest"] for each in made(tmp_path / "out.json")["subject"])


def test_nothing_is_written_for_a_run_that_fails(command, words, debian, tmp_path, monkeypatch):
    debian.write("etc/ssl/certs/my-ca.pem", b"own")
    assert command(*words).status == 3
    (debian.path / "etc/ssl/certs/my-ca.pem").unlink()
    monkeypatch.setattr("rootfs_trust.rootfs.apply.apply", lambda *_, **__: [])
    assert command(*words).status == 4
    assert not (tmp_path / "out.json").exists()


def test_a_file_that_cannot_be_written(command, words, debian, tmp_path):
    for place in (tmp_path / "none/out.json", tmp_path):
        result = command(*words[:-1], place)
        assert (result.status, result.out) == (4, "")
        (line,) = (line for line in result.err.splitlines() if "error" in line)
        assert f"{place}: the root filesystem is complete, but the provenance cannot be written" in line
    assert (debian.path / "etc/own.conf").exists()
    result = command(*words[:-1], tmp_path / "none/out.json", "--format", "json")
    assert [each["path"] for each in result.document["errors"]] == [str(tmp_path / "none/out.json")]
    assert not [path for path in tmp_path.iterdir() if "rootfs-trust" in path.name], "nothing half written stays"


def test_a_device_is_written_to_and_not_replaced(command, words, tmp_path):
    device = tmp_path / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        device = Path("/dev/null")
    assert command(*words[:-1], device).status == 0
    assert stat.S_ISCHR(device.stat().st_mode)


def test_other_commands_have_no_such_option(command, tmp_path):
    result = command("image", tmp_path, tmp_path / "x", "--provenance", tmp_path / "out.json")
    assert result.status == 2 and "unknown option" in result.err


def test_a_link_at_the_place_of_the_file_stays(command, words, tmp_path):
    (tmp_path / "out.json").symlink_to("real.json")
    assert command(*words).status == 0
    assert (tmp_path / "out.json").is_symlink() and made(tmp_path / "real.json")


def test_a_bundle_without_sources_is_what_the_run_is_made_from(command, authority, tmp_path):
    root = tmp_path / "scratch"
    (root / "etc/ssl/certs").mkdir(parents=True)
    old = Authority("Old").pem
    (root / "etc/ssl/certs/ca-certificates.crt").write_bytes(old)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    words = ("--layout", "bundle-only", "--cert", tmp_path / "ca.pem", "--provenance", tmp_path / "out.json")
    assert command("install", "--root", root, *words).status == 0
    document = made(tmp_path / "out.json")
    assert dependencies(document, "rootfs")["etc/ssl/certs/ca-certificates.crt"] == sha256(old).hexdigest()
    assert document["predicate"]["buildDefinition"]["externalParameters"]["options"]["layout"] == "bundle-only"
