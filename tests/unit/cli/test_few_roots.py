"""Variables that replace the public roots of programs by a few others: found wherever they are set."""

from __future__ import annotations

import pytest

from tests.support.authority import Authority
from tests.support.debian_tree import SHIPPED, shipped_authority
from tests.support.images import LayoutDirectory, Tarball

ID = "environment-few-roots"
CORP = Authority("Corporate CA")
ALL = b"".join(shipped_authority(name).pem for name in SHIPPED)
VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT", "AWS_CA_BUNDLE")


@pytest.fixture
def found(command, install, debian):
    """The findings of this kind in a tree, or in the root of an image."""

    def run(root: object = debian.path) -> list[tuple[str, str, str]]:
        findings = command("check", "--root", root, "--select", ID, "--format", "json").document["findings"]
        return [(each["level"], each["path"], each["message"]) for each in findings]

    install()
    debian.write("opt/corp.pem", CORP.pem)
    return run


@pytest.mark.parametrize("name", VARIABLES)
def test_an_image_whose_configuration_names_one_root_only(found, debian, tmp_path, name):
    layout = LayoutDirectory(tmp_path / "layout")
    base = Tarball().tree(debian.path, "").end()
    layout.index(layout.image(base, config={"config": {"Env": ["PATH=/bin", f"{name}=/opt/corp.pem"]}}))
    ((level, path, message),) = found(layout.path)
    assert (level, path) == ("warning", "the image's configuration")
    assert message == f"sets {name} to /opt/corp.pem, which contains 1 root; the distribution ships 3"


@pytest.mark.parametrize(
    ("place", "level"),
    [
        ("etc/profile.d/corp.sh", "warning"),
        ("etc/environment", "warning"),
        ("etc/systemd/system.conf.d/corp.conf", "warning"),
        ("etc/systemd/system/app.service", "note"),
        ("etc/systemd/system/app.service.d/corp.conf", "note"),
        ("etc/default/app", "note"),
    ],
)
def test_a_file_that_names_one_root_only(found, debian, place, level):
    debian.write(place, b'Environment="SSL_CERT_FILE=/opt/corp.pem"\n')
    assert [each[:2] for each in found()] == [(level, f"/{place}")]


def test_a_bundle_that_was_overwritten_by_one_root(found, debian):
    debian.write("etc/ssl/certs/ca-certificates.crt", CORP.pem)
    debian.write("etc/environment", b"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\n")
    assert [path for _, path, _ in found()] == ["/etc/environment"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("SSL_CERT_FILE", ALL + CORP.pem),
        ("SSL_CERT_FILE", b"no certificate"),
        ("NODE_EXTRA_CA_CERTS", CORP.pem),
        ("DENO_CERT", CORP.pem),
    ],
    ids=["all roots", "no certificate", "adds", "adds, too"],
)
def test_a_variable_that_takes_nothing_away(found, debian, name, content):
    debian.write("opt/corp.pem", content)
    debian.write("etc/environment", f"{name}=/opt/corp.pem\n".encode())
    assert found() == []
