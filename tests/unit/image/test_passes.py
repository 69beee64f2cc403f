"""How often a layer is decompressed: once, whatever the files are that a command reads."""

from __future__ import annotations

from collections import Counter

import pytest

from rootfs_trust.image.image_tree import Layer
from rootfs_trust.store.jks import keystore
from tests.support.images import Tarball

CERTIFI = (
    "usr/lib/python3/dist-packages/certifi/cacert.pem",
    "usr/lib/python3/dist-packages/pip/_vendor/certifi/cacert.pem",
    "opt/app/venv/lib/python3.11/site-packages/botocore/cacert.pem",
    "opt/app/lib/castore-1.0.5/priv/cacerts.pem",
)
JAVA = ("opt/java/openjdk/lib/security/cacerts", "usr/lib/jvm/other/lib/security/jssecacerts")
UNITS = (
    "usr/lib/systemd/system/app.service",
    "usr/lib/systemd/system/app.service.d/10-variables.conf",
    "lib/systemd/system/other.service",
    "usr/lib/environment.d/10-app.conf",
)


@pytest.fixture
def passes(monkeypatch) -> Counter[str]:
    """How many times each layer was read from its beginning, by its name."""
    found: Counter[str] = Counter()
    members = Layer._members

    def counted(layer: Layer):
        found[layer.name] += 1
        return members(layer)

    monkeypatch.setattr(Layer, "_members", counted)
    return found


@pytest.fixture
def source(layout, base, other_authority) -> str:
    """An image whose upper layer has the stores of runtimes, and the settings that services get."""
    top = Tarball().file("usr/local/bin/node", mode=0o755)
    for path in CERTIFI:
        top.file(path, other_authority.pem)
    for path in JAVA:
        top.file(path, keystore([("other", other_authority.der)], 0))
    for path in UNITS:
        top.file(path, b"[Service]\nEnvironment=SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\n")
    top.file("usr/share/.mono/certs/Trust/a.cer", other_authority.der)
    layout.index(layout.image(base, top.end()))
    return str(layout.path)


@pytest.mark.parametrize("words", [(), ("--runtimes", "auto")])
def test_image_reads_each_layer_once(source, passes, image, words):
    assert image(source, *words).status == 0
    del passes["the new layer"]
    assert len(passes) == 2 and set(passes.values()) == {1}


@pytest.mark.parametrize("name", ["list", "check", "sbom", "report", "verify"])
def test_commands_read_each_layer_once(source, passes, command, other_authority, tmp_path, name):
    chain = tmp_path / "chain.pem"
    chain.write_bytes(other_authority.server("a.example").pem)
    more = {"report": ("-o", tmp_path / "report.html"), "verify": ("--chain", chain)}
    assert command(name, "--root", source, *more.get(name, ())).status in (0, 1)
    assert len(passes) == 2 and set(passes.values()) == {1}
