"""``image --runtimes``: stores of runtimes in a new layer, variables in the image's configuration."""

from __future__ import annotations

import pytest

from rootfs_trust.store.jks import KeystoreEntry, read_keystore, write_keystore
from rootfs_trust.store.pkcs12 import Pkcs12, Safe, read_pkcs12, trusted_bag, write_pkcs12
from tests.support.images import LayoutFolder, Tarball, entries

CERTIFI = "opt/app/lib/python3.11/site-packages/certifi/cacert.pem"
NODE_FILE = "usr/share/rootfs-trust/node-extra-ca-certs.pem"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@pytest.fixture
def runtimes(layout, base):
    """A layout of an image with Node.js and certifi, whose configuration has these variables."""

    def make(*variables: str):
        top = Tarball().file("usr/local/bin/node", mode=0o755).file(CERTIFI, b"# others\n")
        config = {"config": {"Env": ["PATH=/bin", *variables]}}
        layout.index(layout.image(base, top.end(), config=config))
        return layout.path

    return make


def test_variables_go_into_the_configuration(runtimes, image, tmp_path):
    assert image(runtimes(), "--runtimes", "auto").status == 0
    out = LayoutFolder(tmp_path / "out")
    assert sorted(out.config()["config"]["Env"]) == [
        f"NODE_EXTRA_CA_CERTS=/{NODE_FILE}",
        "PATH=/bin",
        f"REQUESTS_CA_BUNDLE={BUNDLE}",
    ]
    written = entries(out.top_layer())
    assert NODE_FILE in written and b"rootfs-trust" in written[CERTIFI][-1]
    assert not [path for path in written if path.startswith(("etc/profile.d", "etc/systemd"))]


@pytest.mark.parametrize("kind", ["JKS", "PKCS #12"])
def test_a_jdk_with_a_keystore_of_its_own(base, layout, image, tmp_path, authority, other_authority, kind):
    """As in images of Eclipse Temurin, whose JDK is below /opt/java/openjdk."""
    pkcs12 = write_pkcs12(Pkcs12((Safe((trusted_bag("theirs", other_authority.der),)),), None))
    keystore = pkcs12 if kind == "PKCS #12" else write_keystore([KeystoreEntry("theirs", 0, other_authority.der)])
    layout.index(layout.image(base, Tarball().file("opt/java/openjdk/lib/security/cacerts", keystore).end()))
    assert image(layout.path, "--runtimes", "java").status == 0
    written = entries(LayoutFolder(tmp_path / "out").top_layer())["opt/java/openjdk/lib/security/cacerts"][-1]
    ders = [bag.certificate for bag in read_pkcs12(written).bags] if kind == "PKCS #12" else []
    assert (ders or [each.der for each in read_keystore(written)]) == [other_authority.der, authority.der]


def test_the_same_again_changes_nothing(runtimes, image, tmp_path):
    first = image(runtimes(), "--runtimes", "auto").document
    again = image(tmp_path / "out", "--runtimes", "auto", dest=tmp_path / "again").document
    assert (again["changed"], again["digest"]) == (False, first["digest"])


def test_a_variable_that_names_another_file_is_a_conflict(runtimes, image, tmp_path):
    result = image(runtimes("NODE_EXTRA_CA_CERTS=/opt/other.pem"), "--runtimes", "node")
    assert result.status == 3
    assert result.errors == [("conflict", "the image's configuration")]
    assert "/opt/other.pem" in result.document["errors"][0]["message"]
    assert not (tmp_path / "out").exists()


def test_a_variable_that_names_the_bundle_stays(runtimes, image, tmp_path):
    assert image(runtimes(f"REQUESTS_CA_BUNDLE={BUNDLE}"), "--runtimes", "auto").status == 0
    assert LayoutFolder(tmp_path / "out").config()["config"]["Env"].count(f"REQUESTS_CA_BUNDLE={BUNDLE}") == 1
