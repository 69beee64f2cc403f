"""``image --runtimes``: stores of runtimes in a new layer, variables in the image's configuration."""

from __future__ import annotations

import pytest

from rootfs_trust import InstallOptions, install_image
from rootfs_trust.store.jks import KeystoreEntry, read_keystore, write_keystore
from rootfs_trust.store.pkcs12 import Pkcs12, Safe, read_pkcs12, trusted_bag, write_pkcs12
from tests.support.images import LayoutDirectory, Tarball, entries

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
    out = LayoutDirectory(tmp_path / "out")
    assert sorted(out.config()["config"]["Env"]) == [
        f"NODE_EXTRA_CA_CERTS=/{NODE_FILE}",
        "PATH=/bin",
        f"REQUESTS_CA_BUNDLE={BUNDLE}",
    ]
    written = entries(out.top_layer())
    assert NODE_FILE in written and b"rootfs-trust" in written[CERTIFI][-1]
    assert not [path for path in written if path.startswith(("etc/profile.d", "etc/systemd"))]


@pytest.mark.parametrize("kind", ["JKS", "PKCS #12"])
def test_a_jdk_with_its_own_keystore(base, layout, image, tmp_path, authority, other_authority, kind):
    """As in images of Eclipse Temurin, whose JDK is below /opt/java/openjdk."""
    pkcs12 = write_pkcs12(Pkcs12((Safe((trusted_bag("theirs", other_authority.der),)),), None))
    keystore = pkcs12 if kind == "PKCS #12" else write_keystore([KeystoreEntry("theirs", 0, other_authority.der)])
    layout.index(layout.image(base, Tarball().file("opt/java/openjdk/lib/security/cacerts", keystore).end()))
    assert image(layout.path, "--runtimes", "java").status == 0
    written = entries(LayoutDirectory(tmp_path / "out").top_layer())["opt/java/openjdk/lib/security/cacerts"][-1]
    ders = [bag.certificate for bag in read_pkcs12(written).bags] if kind == "PKCS #12" else []
    assert (ders or [each.der for each in read_keystore(written)]) == [other_authority.der, authority.der]


def test_the_same_again_changes_nothing(runtimes, image, tmp_path):
    first = image(runtimes(), "--runtimes", "auto").document
    again = image(tmp_path / "out", "--runtimes", "auto", dest=tmp_path / "again").document
    assert (again["changed"], again["digest"]) == (False, first["digest"])


def environment(directory):
    return sorted(LayoutDirectory(directory).config()["config"]["Env"])


@pytest.fixture
def without(command, tmp_path):
    """Remove the anchor from the image of the first run."""

    def run():
        result = command("image", tmp_path / "out", tmp_path / "removed", "--without", "my-ca", "--format", "json")
        assert result.status == 0, result.document
        return tmp_path / "removed"

    return run


def replace_config(directory, config):
    """Give the image in a layout another config."""
    manifest = directory.manifest()
    manifest["config"] = directory.put_json(config, manifest["config"]["mediaType"])
    directory.index(directory.put_json(manifest, "application/vnd.oci.image.manifest.v1+json"))


def test_our_variables_go_with_the_last_anchor_and_those_of_others_stay(runtimes, image, without, tmp_path):
    image(runtimes("GIT_SSL_CAINFO=/opt/git.pem", f"AWS_CA_BUNDLE={BUNDLE}"), "--runtimes", "auto")
    ours = [f"NODE_EXTRA_CA_CERTS=/{NODE_FILE}", f"REQUESTS_CA_BUNDLE={BUNDLE}"]
    assert set(ours) <= set(environment(tmp_path / "out"))
    left = without()
    assert environment(left) == [f"AWS_CA_BUNDLE={BUNDLE}", "GIT_SSL_CAINFO=/opt/git.pem", "PATH=/bin"]
    gone = {each for each in entries(LayoutDirectory(left).top_layer()) if ".wh." in each}
    assert gone >= {"usr/share/rootfs-trust/.wh.image-variables", "usr/share/rootfs-trust/.wh.node-extra-ca-certs.pem"}


def test_our_variables_stay_while_another_anchor_needs_them(runtimes, image, without, tmp_path, other_authority):
    (tmp_path / "other.pem").write_bytes(other_authority.pem)
    image(runtimes(), "--runtimes", "auto", "--cert", tmp_path / "other.pem")
    before = environment(tmp_path / "out")
    assert environment(without()) == before


def test_a_variable_that_somebody_changed_stays(runtimes, image, without, tmp_path):
    image(runtimes(), "--runtimes", "auto")
    directory = LayoutDirectory(tmp_path / "out")
    config = directory.config()
    kept = [each for each in config["config"]["Env"] if not each.startswith("REQUESTS")]
    config["config"]["Env"] = [*kept, "REQUESTS_CA_BUNDLE=/opt/mine.pem"]
    replace_config(directory, config)
    assert environment(without()) == ["PATH=/bin", "REQUESTS_CA_BUNDLE=/opt/mine.pem"]


def test_a_variable_that_names_another_file_is_a_conflict(runtimes, image, tmp_path):
    result = image(runtimes("NODE_EXTRA_CA_CERTS=/opt/other.pem"), "--runtimes", "node")
    assert result.status == 3
    assert result.errors == [("conflict", "the image's configuration")]
    assert "/opt/other.pem" in result.document["errors"][0]["message"]
    assert not (tmp_path / "out").exists()


def test_a_variable_that_names_the_bundle_stays(runtimes, image, tmp_path):
    assert image(runtimes(f"REQUESTS_CA_BUNDLE={BUNDLE}"), "--runtimes", "auto").status == 0
    assert LayoutDirectory(tmp_path / "out").config()["config"]["Env"].count(f"REQUESTS_CA_BUNDLE={BUNDLE}") == 1


def test_images_of_one_base_with_other_variables_are_planned_apart(base, layout, ca, tmp_path):
    """Programs of the first image read certifi's store. In the second, a variable leads them to the system's."""
    top = Tarball().file(CERTIFI, b"# others\n").end()
    variables = ([], [f"REQUESTS_CA_BUNDLE={BUNDLE}"])
    images = [
        layout.image(base, top, config={"config": {"Env": each}}, platform={"os": "linux", "architecture": name})
        for each, name in zip(variables, ("amd64", "arm64"), strict=True)
    ]
    layout.index(*images)
    done = install_image(str(layout.path), str(tmp_path / "out"), InstallOptions(certs=[str(ca)]))
    warnings = [[each.path for each in one.outcome.warnings] for one in done.images]
    assert warnings == [[f"/{CERTIFI}"], []]
