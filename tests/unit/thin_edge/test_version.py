"""Settings go where the thin-edge.io of the rootfs reads them: tedge.toml in 1.x, a mapper's file in 2.x."""

from __future__ import annotations

import tomllib

import pytest

from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import Directory, File, Owner
from rootfs_trust.store.store_plan import StorePlan
from rootfs_trust.thin_edge.configure import FILE, thin_edge
from rootfs_trust.thin_edge.trust_settings import cloud_settings, parse_setting
from tests.support.memory import MemoryTree

C8Y = "/etc/tedge/mappers/c8y/mapper.toml"
EDGE = "/etc/tedge/mappers/c8y.edge/mapper.toml"
PASSWD = {"/etc/passwd": File(b"tedge:x:951:950::/:\n")}
STORE = {"/store/0123abcd.0": File(b"")}
TWO = "Package: mosquitto\nVersion: 1.0\n\nPackage: tedge\nStatus: install ok installed\nVersion: 2.0.1\n\n"


def answered(files: dict[str, str], *clouds: str, generation: str = "auto") -> StorePlan:
    view = MemoryTree({**PASSWD, **STORE, **{path: File(text.encode()) for path, text in files.items()}})
    settings = [setting for cloud in clouds for setting in cloud_settings(cloud, "/store")]
    return thin_edge(Device(view), settings, {}, generation)


def written(answer: StorePlan) -> dict[str, dict[str, object]]:
    assert answer.problems == [] and answer.conflicts == []
    files = {path: node for path, node in answer.desired.items() if isinstance(node, File)}
    return {path: tomllib.loads(node.content.decode()) for path, node in files.items()}


NEW = {"cloud_type": "c8y", "root_cert_path": "/store", "proxy": {"ca_path": "/store"}}
LEGACY = {"config": {"version": "2"}, "c8y": {"root_cert_path": "/store", "proxy": {"ca_path": "/store"}}}


@pytest.mark.parametrize(
    ("files", "choice", "place", "content"),
    [
        ({}, "auto", FILE, LEGACY),
        ({}, "1", FILE, LEGACY),
        ({}, "2", C8Y, NEW),
        ({"/var/lib/dpkg/status": TWO}, "auto", C8Y, NEW),
        ({"/var/lib/dpkg/status": TWO}, "1", FILE, LEGACY),
        ({"/var/lib/dpkg/status": TWO.replace("2.0.1", "1.4.1")}, "auto", FILE, LEGACY),
        ({"/var/lib/dpkg/status.d/tedge": "Package: tedge\nVersion: 2.1\n"}, "auto", C8Y, NEW),
        ({"/usr/lib/opkg/status": TWO}, "auto", C8Y, NEW),
        ({"/lib/apk/db/installed": "P:musl\nV:1\n\nP:tedge\nV:2.0.1-r0\n\n"}, "auto", C8Y, NEW),
        ({"/var/lib/rpmmanifest/container-manifest-2": "bash\t5\ntedge\t2.0.1\t9\n"}, "auto", C8Y, NEW),
        ({"/etc/tedge/mappers/az/mapper.toml": 'cloud_type = "az"\n'}, "auto", C8Y, NEW),
        ({C8Y: "# mine\n"}, "auto", C8Y, {"root_cert_path": "/store", "proxy": {"ca_path": "/store"}}),
    ],
)
def test_the_form_is_read_from_the_rootfs_or_said(files, choice, place, content):
    assert written(answered(files, "c8y", generation=choice)) == {place: content}


def test_2_x_still_reads_a_tedge_toml_that_has_a_cloud():
    answer = answered({"/var/lib/dpkg/status": TWO, FILE: '[config]\nversion = "2"\n[az]\nurl = "x"\n'}, "c8y")
    assert list(written(answer)) == [FILE]


def test_a_profile_has_its_own_file():
    answer = answered({"/var/lib/dpkg/status": TWO}, "c8y", "c8y@edge")
    assert written(answer) == {C8Y: NEW, EDGE: NEW}
    directories = {path: node.owner for path, node in answer.desired.items() if isinstance(node, Directory)}
    assert directories == dict.fromkeys(
        ["/etc/tedge", "/etc/tedge/mappers", "/etc/tedge/mappers/c8y", "/etc/tedge/mappers/c8y.edge"], Owner(951, 950)
    )


def test_a_setting_is_written_to_one_file_and_an_ignored_table_is_a_warning():
    files = {C8Y: 'cloud_type = "c8y" # kept\n', FILE: '[config]\nversion = "2"\n[c8y]\nroot_cert_path = "/old"\n'}
    answer = answered(files, "c8y")
    assert list(written(answer)) == [C8Y]
    assert "# kept" in answer.desired[C8Y].content.decode()
    assert {(each.id, each.path) for each in answer.warnings} == {("thin-edge-both", FILE)}


@pytest.mark.parametrize("there", [C8Y, EDGE, C8Y.replace("c8y", "c8y.other")])
@pytest.mark.parametrize("cloud", ["c8y", "c8y@edge"])
def test_one_mapper_file_moves_all_profiles_of_a_cloud_to_mapper_files(there, cloud):
    """Of tedge.toml 2.x then reads what other clouds have there, and nothing of this one."""
    legacy = '[config]\nversion = "2"\n[az]\nurl = "x"\n'
    answer = answered({there: "# mine\n", FILE: legacy}, cloud)
    assert list(written(answer)) == [C8Y if cloud == "c8y" else EDGE] and answer.warnings == []
    both = answered({there: "# mine\n", FILE: f"{legacy}[c8y]\n"}, "c8y", "c8y@edge")
    assert [(each.id, "[c8y]" in each.message) for each in both.warnings] == [("thin-edge-both", True)]
    assert list(written(answered({there: "# mine\n", FILE: legacy}, "az"))) == [FILE]


def test_settings_of_no_cloud_stay_in_tedge_toml():
    view = MemoryTree({**PASSWD, **STORE, "/var/lib/dpkg/status": File(TWO.encode())})
    settings = [*cloud_settings("az", "/store"), parse_setting("mqtt.external.ca_path=/store")]
    assert written(thin_edge(Device(view), settings, {})) == {
        "/etc/tedge/mappers/az/mapper.toml": {"cloud_type": "az", "root_cert_path": "/store"},
        FILE: {"config": {"version": "2"}, "mqtt": {"external": {"ca_path": "/store"}}},
    }


def test_the_second_time_nothing_is_written():
    first = answered({"/var/lib/dpkg/status": TWO}, "c8y")
    files = {path: node.content.decode() for path, node in first.desired.items() if isinstance(node, File)}
    assert answered({"/var/lib/dpkg/status": TWO, **files}, "c8y").desired == {}


def test_the_proxy_rule_holds_in_a_mappers_file_too():
    answer = answered({C8Y: '[proxy]\ncert_path = "/c"\nkey_path = "/k"\n'}, "c8y")
    assert "ca_path" not in written(answer)[C8Y]["proxy"]
    assert [each.id for each in answer.warnings] == ["proxy-ca-path"]


@pytest.mark.parametrize("said", ["", "true", "false"])
@pytest.mark.parametrize(
    ("files", "choice", "by_default"),
    [
        ({}, "auto", False),
        ({}, "1", False),
        ({}, "2", True),
        ({"/var/lib/dpkg/status": TWO}, "auto", True),
        ({"/var/lib/dpkg/status": TWO}, "1", False),
        ({"/var/lib/dpkg/status": TWO.replace("2.0.1", "1.7.1")}, "auto", False),
        ({C8Y: "# mine\n"}, "auto", True),
    ],
)
def test_2_x_uses_the_built_in_bridge_by_default(files, choice, by_default, said):
    """Its default changed with 2.0 (tedge_config.rs); rustls needs no hash links, mosquitto does."""
    bridge = f"[mqtt.bridge]\nbuilt_in = {said}\n" if said else ""
    texts = {"/plain/ca.pem": "", FILE: f'[config]\nversion = "2"\n{bridge}', **files}
    view = MemoryTree({**PASSWD, **{path: File(text.encode()) for path, text in texts.items()}})
    answer = thin_edge(Device(view), [parse_setting("c8y.root_cert_path=/plain")], {}, choice)
    assert (answer.problems == []) is (said == "true" or (not said and by_default))


@pytest.mark.parametrize("status", ["", "Package: tedge-agent\nVersion: 2.0\n", "Package: tedge\n\nVersion: 2.0\n"])
def test_other_packages_show_no_version(status):
    device = Device(MemoryTree({"/var/lib/dpkg/status": File(status.encode())}))
    assert "tedge" not in device.packages or not device.packages["tedge"].version
