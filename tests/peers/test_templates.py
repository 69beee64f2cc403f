"""Results of templates, compared with the programs that read them."""

import json
import subprocess
import time

from rootfs_trust.inputs.config import RenderTable
from rootfs_trust.inputs.templates import read_template
from rootfs_trust.rendering.render import RenderRequest, TemplateTrust, rendered
from tests.support.memory import MemoryTree
from tests.support.peers import peer


def test_mosquitto_takes_the_bridge(tmp_path, authority):
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    _, name, text = read_template(RenderTable("mosquitto-bridge", "/x"))
    values = {"address": "localhost:1", "client_id": "device", "topics": ["# out 1 local/ remote/"]}
    for trust, option in (
        (TemplateTrust("", str(tmp_path), ()), f"bridge_capath {tmp_path}"),
        (TemplateTrust(str(tmp_path / "ca.pem"), "", ()), f"bridge_cafile {tmp_path / 'ca.pem'}"),
    ):
        files, _ = rendered(MemoryTree(), [RenderRequest(name, text, "/x", values=values)], trust)
        content = files["/x"].content.decode()
        assert f"\n{option}\n" in content
        assert starts(tmp_path, content)
    assert not starts(tmp_path, content.replace("remote_clientid", "remote_client_id"))


def starts(directory, bridge: str) -> bool:
    """Whether mosquitto runs with this configuration: it ends at once with one that it does not understand."""
    config = directory / "mosquitto.conf"
    config.write_text(f"listener 0 {directory / 'socket'}\nuser root\n{bridge}")
    broker = subprocess.Popen(
        [peer("mosquitto"), "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and broker.poll() is None and not (directory / "socket").exists():
            time.sleep(0.05)
        return broker.poll() is None and (directory / "socket").exists()
    finally:
        broker.terminate()
        broker.wait(10)
        (directory / "socket").unlink(missing_ok=True)


def test_openssl_takes_the_anchors_of_a_keyring_and_of_balenas_root(tmp_path, authority, other_authority):
    """RAUC hands its keyring to OpenSSL, balena the decoded root to the store of the device."""
    trust = TemplateTrust("/b", "/d", tuple({"pem": each.pem.decode()} for each in (authority, other_authority)))
    keyring = result("rauc-keyring", trust)
    encoded = json.loads(result("balena", trust))["balenaRootCA"]
    decoded = subprocess.run([peer("base64"), "-d"], input=encoded.encode(), capture_output=True, check=True).stdout
    for roots in (keyring.encode(), decoded):
        (tmp_path / "roots.pem").write_bytes(roots)
        for signer in (authority, other_authority):
            (tmp_path / "leaf.pem").write_bytes(signer.server("device").pem)
            words = ("verify", "-no-CApath", "-no-CAstore", "-CAfile", str(tmp_path / "roots.pem"))
            subprocess.run([peer("openssl"), *words, str(tmp_path / "leaf.pem")], capture_output=True, check=True)


def result(template: str, trust: TemplateTrust) -> str:
    _, name, text = read_template(RenderTable(template, "/x"))
    files, _ = rendered(MemoryTree(), [RenderRequest(name, text, "/x")], trust)
    return files["/x"].content.decode()
