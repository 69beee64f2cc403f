"""Settings as environment: a drop-in of systemd under /usr, and nothing in /etc/tedge."""

import pytest

from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File
from rootfs_trust.thin_edge.configure import thin_edge
from rootfs_trust.thin_edge.service_environment import DROP_IN, drop_in, variable
from rootfs_trust.thin_edge.trust_settings import Setting, cloud_settings, parse_setting
from tests.support.memory import MemoryTree

STORE = {"/store/0123abcd.0": File(b"")}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("c8y.root_cert_path", "TEDGE_C8Y_ROOT_CERT_PATH"),
        ("c8y.profiles.edge.root_cert_path", "TEDGE_C8Y_PROFILES_EDGE_ROOT_CERT_PATH"),
        ("mqtt.client.auth.ca_dir", "TEDGE_MQTT_CLIENT_AUTH_CA_DIR"),
    ],
)
def test_the_names_are_those_of_thin_edge(key, name):
    assert variable(key) == name


def test_only_the_drop_in_is_written():
    settings = [*cloud_settings("az", "/store"), *cloud_settings("aws@x", "/store")]
    answer = thin_edge(Device(MemoryTree(STORE)), settings, {}, as_environment=True)
    assert {path: node.content.decode().splitlines() for path, node in answer.desired.items()} == {
        DROP_IN: [
            "[Service]",
            'Environment="TEDGE_AZ_ROOT_CERT_PATH=/store"',
            'Environment="TEDGE_AWS_PROFILES_X_ROOT_CERT_PATH=/store"',
        ]
    }


def test_settings_in_the_environment_are_checked_in_the_rootfs_too():
    answer = thin_edge(Device(MemoryTree(STORE)), [parse_setting("az.root_cert_path=/none")], {}, as_environment=True)
    assert [each.id for each in answer.problems] == ["thin-edge-setting"]


@pytest.mark.parametrize("key", ["c8y.profiles.a-b.root_cert_path", "thingsboard.device.root_cert_path"])
def test_what_no_variable_can_set_is_refused(key):
    """systemd ignores a variable with a dash in its name, with a line in the journal."""
    asked = [parse_setting(f"{key}=/store"), *cloud_settings("c8y@a_b", "/store")]
    answer = thin_edge(Device(MemoryTree(STORE)), asked, {}, "2", as_environment=True)
    (problem,) = answer.problems
    assert problem.message == f"{key}: no environment variable sets it" and "--settings-as file" in problem.hint


def test_what_an_earlier_run_set_stays():
    def ran(tree, *settings, **how):
        return thin_edge(Device(MemoryTree({**STORE, **tree})), [parse_setting(each) for each in settings], {}, **how)

    first = ran({}, "c8y.root_cert_path=/store", "az.root_cert_path=/store", as_environment=True).desired
    second = ran({**first, "/b/0123abcd.0": File(b"")}, "az.root_cert_path=/b", as_environment=True).desired
    assert second[DROP_IN].content.decode().splitlines() == [
        "[Service]",
        'Environment="TEDGE_C8Y_ROOT_CERT_PATH=/store"',
        'Environment="TEDGE_AZ_ROOT_CERT_PATH=/b"',
    ]
    assert ran(second, "c8y.root_cert_path=/store", as_environment=True).desired == second


def test_a_setting_that_the_environment_overrides_is_a_warning():
    drop_in_of = {DROP_IN: File(b'[Service]\nEnvironment="TEDGE_AZ_ROOT_CERT_PATH=/other"\n')}
    for path, told in (("/store", [("thin-edge-environment", DROP_IN)]), ("/other", [])):
        view = MemoryTree({**STORE, **drop_in_of, "/other/0123abcd.0": File(b"")})
        answer = thin_edge(Device(view), [parse_setting(f"az.root_cert_path={path}")], {})
        assert [(each.id, each.path) for each in answer.warnings if each.id != "no-tedge-user"] == told


def test_what_systemd_would_take_for_its_own_is_quoted():
    assert drop_in([Setting("az.root_cert_path", '/a%b"c\\d')]).decode().splitlines()[1] == (
        'Environment="TEDGE_AZ_ROOT_CERT_PATH=/a%%b\\"c\\\\d"'
    )
