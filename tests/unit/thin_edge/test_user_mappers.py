"""Mappers of the user's own, of thin-edge.io 2.x: their file, a path that may be relative, and where they cannot be."""

from __future__ import annotations

import tomllib

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File, Owner
from rootfs_trust.store.store_plan import StorePlan
from rootfs_trust.thin_edge.configure import FILE, thin_edge
from rootfs_trust.thin_edge.trust_settings import parse_setting
from tests.support.memory import MemoryTree

PLACE = "/etc/tedge/mappers/thingsboard"
MAPPER = f"{PLACE}/mapper.toml"
KEY = "thingsboard.device.root_cert_path"
STATUS = "/var/lib/dpkg/status"
BASE = {
    "/etc/passwd": File(b"tedge:x:951:950::/:\n"),
    STATUS: File(b"Package: tedge\nVersion: 2.0.1\n"),
    f"{PLACE}/ca.pem": File(b""),
    "/data/plain/ca.pem": File(b""),
}


def ask(text: str, *, at_run_time: bool = False, generation: str = "auto", env: bool = False, **entries) -> StorePlan:
    tree = {path: node for path, node in {**BASE, **entries}.items() if node is not None}
    asked = [parse_setting(text, at_run_time=at_run_time)]
    return thin_edge(Device(MemoryTree(tree)), asked, {}, generation, as_environment=env)


def written(answer: StorePlan, path: str = MAPPER) -> dict[str, object]:
    assert (answer.problems, answer.conflicts) == ([], [])
    return tomllib.loads(answer.desired[path].content.decode())


def test_a_custom_mapper_file_names_no_cloud_and_tedge_toml_is_unchanged():
    answer = ask(f"{KEY}=/data/plain")
    assert written(answer) == {"device": {"root_cert_path": "/data/plain"}}
    assert answer.desired[MAPPER].owner == answer.desired[PLACE].owner == Owner(951, 950)
    assert FILE not in answer.desired and answer.warnings == []
    assert "tedge config set" not in answer.desired[MAPPER].content.decode()


def test_an_existing_file_is_edited():
    text = '# mine\nurl = "h:8883"\n\n[device] # id\ncert_path = "cert.pem"\n\n[bridge]\nx = 1 # kept\n'
    answer = ask(f"{KEY}=/data/plain/ca.pem", **{MAPPER: File(text.encode())})
    line = 'root_cert_path = "/data/plain/ca.pem"\n'
    new = text.replace('"cert.pem"\n', f'"cert.pem"\n{line}')
    assert answer.desired[MAPPER].content.decode() == new
    assert ask(f"{KEY}=/data/plain/ca.pem", **{MAPPER: File(new.encode())}).desired == {}


@pytest.mark.parametrize("text", ["device = 1\n", "[device]\nroot_cert_path = 1\n", "[device\n"])
def test_a_file_that_has_no_place_for_it_is_refused(text):
    with pytest.raises(InputError) as error:
        ask(f"{KEY}=/data/plain", **{MAPPER: File(text.encode())})
    assert [(each.id, each.path) for each in error.value.problems] == [("thin-edge-toml", MAPPER)]


@pytest.mark.parametrize(
    ("path", "place", "file"),
    [
        ("ca.pem", f"{PLACE}/ca.pem", f"{PLACE}/ca.pem"),
        ("./ca.pem", f"{PLACE}/ca.pem", f"{PLACE}/ca.pem"),
        (".", PLACE, f"{PLACE}/ca.pem"),
        ("certs", f"{PLACE}/certs", f"{PLACE}/certs/x"),
        ("../../certs/ca.pem", "/etc/tedge/certs/ca.pem", "/etc/tedge/certs/ca.pem"),
        ("../../../../../../ca.pem", "/ca.pem", "/ca.pem"),
        ("/data/../ca.pem", "/data/../ca.pem", "/ca.pem"),
    ],
)
def test_a_relative_path_counts_from_the_mappers_directory_and_is_written_as_given(path, place, file):
    """As normalize_path of thin-edge.io's custom/config.rs has it: by the text, and never above the root."""
    setting = parse_setting(f"{KEY}={path}")
    assert (setting.path, setting.value) == (place, path)
    answer = ask(f"{KEY}={path}", **{file: File(b"")})
    assert written(answer) == {"device": {"root_cert_path": path}}


def test_the_path_is_checked_in_the_rootfs():
    (problem,) = ask(f"{KEY}=none.pem").problems
    assert f"{PLACE}/none.pem will not be in the finished rootfs" in problem.message
    later = ask(f"{KEY}=none.pem", at_run_time=True)
    assert written(later) == {"device": {"root_cert_path": "none.pem"}}
    assert [each.id for each in later.warnings] == ["thin-edge-setting"]
    closed = {"/data/plain/ca.pem": File(b"", mode=0o600, owner=Owner(0, 0))}
    (warning,) = ask(f"{KEY}=/data/plain/ca.pem", **closed).warnings
    assert (warning.id, "user tedge" in warning.message) == ("thin-edge-unreadable", True)


def test_its_bridge_is_thin_edges_own_whatever_the_others_have():
    """So it needs no hash links, and mosquitto need not read the path."""
    said = {FILE: File(b'[config]\nversion = "2"\n[mqtt.bridge]\nbuilt_in = false\n')}
    (problem,) = ask("c8y.root_cert_path=/data/plain", **said).problems
    assert "no hash links" in problem.message
    answer = ask(f"{KEY}=/data/plain", **said)
    assert (answer.problems, answer.warnings) == ([], [])


@pytest.mark.parametrize(
    ("entries", "generation", "says"),
    [
        ({}, "auto", ""),
        ({}, "2", ""),
        ({}, "1", "this is 1.x"),
        ({STATUS: File(b"Package: tedge\nVersion: 1.7.1\n")}, "auto", "this is 1.x"),
        ({STATUS: File(b"Package: tedge\nVersion: 1.7.1\n")}, "2", ""),
        ({STATUS: None}, "auto", ""),
        ({STATUS: None, f"{PLACE}/ca.pem": None}, "auto", "does not show"),
        ({STATUS: None, f"{PLACE}/ca.pem": None}, "2", ""),
    ],
)
def test_custom_mappers_need_thin_edge_2(entries, generation, says):
    answer = ask(f"{KEY}=/data/plain", generation=generation, **entries)
    if not says:
        assert written(answer)
        return
    (problem,) = answer.problems
    assert says in problem.message and "--thin-edge 2" in problem.hint and problem.message.startswith(KEY)


def test_a_missing_mapper_is_a_warning():
    answer = ask("thingsbord.device.root_cert_path=/data/plain")
    assert [(each.id, each.path) for each in answer.warnings] == [
        ("thin-edge-mapper", "/etc/tedge/mappers/thingsbord/mapper.toml")
    ]


def test_no_environment_variable_sets_it():
    answer = ask(f"{KEY}=/data/plain", env=True)
    assert [(each.id, "no environment variable" in each.message) for each in answer.problems] == [
        ("thin-edge-setting", True)
    ]


@pytest.mark.parametrize("name", ["", "Thingsboard", "my_cloud", "1cloud", "bridge-x", "collectd", "-x", "é", "a b"])
def test_a_name_that_thin_edge_does_not_take(name):
    with pytest.raises(InputError) as error:
        parse_setting(f"{name}.device.root_cert_path=/x")
    assert "is not a valid mapper name" in str(error.value)


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("c8y.device.root_cert_path", "c8y.root_cert_path"),
        ("device.root_cert_path", "NAME.device.root_cert_path"),
        ("mappers.thingsboard.device.root_cert_path", "NAME.device.root_cert_path"),
    ],
)
def test_misspelled_keys_get_a_suggestion(key, near):
    with pytest.raises(InputError) as error:
        parse_setting(f"{key}=/x")
    assert f'did you mean "{near}"?' in str(error.value)
