"""Templates: a user's own and those that ship, each result read by a parser of its format."""

from __future__ import annotations

import base64
import json
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from rootfs_trust import x509
from rootfs_trust.errors import InputError
from rootfs_trust.rendering.render import RenderRequest, TemplateTrust, rendered
from rootfs_trust.resources import resource
from rootfs_trust.rootfs.view import File
from tests.support.memory import MemoryTree
from tests.support.peers import unavailable

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@pytest.fixture
def trust(authority, other_authority) -> TemplateTrust:
    anchors = tuple(
        {"name": name, "subject": name, "sha256": each.sha256, "pem": each.pem.decode()}
        for name, each in (("a", authority), ("b", other_authority))
    )
    return TemplateTrust(BUNDLE, "/etc/ssl/certs", anchors, ("c8y",), "/etc/ssl/certs/java/cacerts")


def shipped(name: str, trust: TemplateTrust, **values: object) -> str:
    text = Path(resource("templates"), "agents", f"{name}.j2").read_text()
    files, conflicts = rendered(MemoryTree(), [RenderRequest(name, text, "/etc/x", values=values)], trust)
    assert conflicts == []
    return files["/etc/x"].content.decode()


def own(text: str, trust: TemplateTrust, **values: object) -> str:
    files, _ = rendered(MemoryTree(), [RenderRequest("own.j2", text, "/etc/x", 0o600, values)], trust)
    assert files["/etc/x"].mode == 0o600
    return files["/etc/x"].content.decode()


def test_a_custom_template_can_use_the_store_the_anchors_and_its_values(trust):
    text = "{{ trust.bundle }} {{ trust.directory }} {{ clouds[0] }} {{ values.a }}"
    text += "{% for x in anchors %} {{ x.name }}{% endfor %}.\n"
    assert own(text, trust, a=7) == f"{BUNDLE} /etc/ssl/certs c8y 7 a b.\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a\n{{ values.missing }}", "missing"),
        ("a\n{% if %}", "own.j2:2"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "division"),
        ("{{ trust.secret }}", "secret"),
        ("{% for x in range(10 ** 9) %}{% endfor %}", "Range too big"),
        ("{{ 'x' * 2000000 }}", "gives more than"),
    ],
)
def test_a_template_that_is_wrong_is_refused_with_its_name(trust, text, says):
    with pytest.raises(InputError, match=says) as error:
        own(text, trust)
    assert error.value.problems[0].id == "template"
    assert error.value.problems[0].path.startswith("own.j2")


def test_an_existing_file_is_a_conflict_unless_replace_is_set(trust):
    view = MemoryTree({"/etc/x": File(b"mine")})
    for replace, conflicts in ((False, ["/etc/x"]), (True, [])):
        found = rendered(view, [RenderRequest("own", "ours", "/etc/x", replace=replace)], trust)[1]
        assert [each.path for each in found] == conflicts
    assert rendered(MemoryTree({"/etc/x": File(b"ours")}), [RenderRequest("own", "ours", "/etc/x")], trust)[1] == []


def test_azure_iot_edges_line_comes_before_every_table(trust):
    text = shipped("azure-iot-edge.toml", trust, hostname="gw")
    assert tomllib.loads(text) == {"trust_bundle_cert": f"file://{BUNDLE}", "hostname": "gw"}
    assert tomllib.loads(text + "[provisioning]\nsource = 'dps'\n")["trust_bundle_cert"] == f"file://{BUNDLE}"


def test_greengrass(trust):
    if not find_spec("yaml"):
        unavailable("PyYAML is not installed")
    import yaml

    assert yaml.safe_load(shipped("greengrass.yaml", trust)) == {"system": {"rootCaPath": BUNDLE}}
    odd = 'a: "b" # \\ é on\n- x'
    document = yaml.safe_load(shipped("greengrass.yaml", trust, thing_name=odd))
    assert document == {"system": {"rootCaPath": BUNDLE, "thingName": odd}}


def test_mender(trust):
    assert json.loads(shipped("mender.conf", trust)) == {"ServerCertificate": BUNDLE}
    assert json.loads(shipped("mender.conf", trust, server_url="https://x"))["ServerURL"] == "https://x"


def test_balena_takes_the_anchors_in_base64(trust, authority, other_authority):
    root = json.loads(shipped("balena.json", trust))["balenaRootCA"]
    assert base64.b64decode(root) == authority.pem + other_authority.pem


def test_a_keyring_of_rauc_holds_the_anchors_and_nothing_else(trust, authority, other_authority):
    objects = x509.read_objects(shipped("rauc-keyring.pem", trust).encode())
    assert [each.sha256 for _, each in objects.certificates] == [authority.sha256, other_authority.sha256]
    assert objects.bad == () == objects.others


def test_the_environment_of_runtimes(trust):
    text = shipped("systemd-environment.conf", trust)
    assert '[Manager]\nDefaultEnvironment="SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"\n' in text
    assert 'DefaultEnvironment="NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"\n' in text
    script = shipped("profile.sh", trust) + 'printf "%s|%s" "$PIP_CERT" "$JAVA_TOOL_OPTIONS"'
    run = subprocess.run(["/bin/sh", "-ec", script], capture_output=True, text=True, check=True)
    assert run.stdout == f"{BUNDLE}|-Djavax.net.ssl.trustStore=/etc/ssl/certs/java/cacerts"


def test_without_a_hash_directory_a_bridge_gets_the_bundle(trust):
    bare = TemplateTrust(BUNDLE, "", ())
    assert f"\nbridge_cafile {BUNDLE}\n" in shipped("mosquitto-bridge.conf", bare, address="h:1")
    assert "\nbridge_capath /etc/ssl/certs\n" in shipped("mosquitto-bridge.conf", trust, address="h:1")
    with pytest.raises(InputError, match="address"):
        shipped("mosquitto-bridge.conf", trust)
