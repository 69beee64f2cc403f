"""The roots that AWS and Azure document, compared with what the store of a root filesystem holds."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.debian_tree import shipped_authority
from tests.support.root_data import cloud_root, table, write

ALPHA, BETA, GAMMA = (shipped_authority(f"mozilla/{name}_Root.crt") for name in ("Alpha", "Beta", "Gamma"))
UNTIL = date(2099, 4, 15)
CLOUD_ROOTS = [
    cloud_root(ALPHA, "required"),
    cloud_root(BETA, "recommended"),
    cloud_root(GAMMA, "leaving", until=f"{UNTIL}", vouches_for=[ALPHA.sha256]),
]


@pytest.fixture
def data(tmp_path):
    return write(tmp_path / "roots.json", table(cloud_roots=CLOUD_ROOTS))


@pytest.fixture
def found(command, debian, data):
    """Id, level and digest of the findings about clouds."""

    def check(*words: str) -> list[tuple[str, str, str]]:
        result = command("check", "--root", debian.path, "--root-data", data, "--format", "json", *words)
        clouds = [each for each in result.document["findings"] if each["id"].startswith("cloud-")]
        return [(each["id"], each["level"], each["sha256"]) for each in clouds]

    return check


def without(debian, *names: str) -> None:
    """Remove shipped CAs from the list; `install` then removes them from the store."""
    conf = debian.path / "etc/ca-certificates.conf"
    lines = conf.read_text().splitlines()
    conf.write_text("".join(f"{'!' if any(name in line for name in names) else ''}{line}\n" for line in lines))


ENDS = ("cloud-root-ends", "note", GAMMA.sha256)


def test_a_store_with_every_root_of_its_cloud(install, found):
    install("--cloud", "aws")
    assert found() == [ENDS]


def test_a_recommended_root_is_a_warning(install, debian, found):
    without(debian, "Beta")
    install("--cloud", "aws")
    assert found() == [("cloud-root-missing", "warning", BETA.sha256), ENDS]


def test_a_required_root_is_an_error(install, debian, found):
    without(debian, "Alpha", "Gamma")
    install("--cloud", "aws@plant")
    assert found() == [("cloud-root-missing", "error", ALPHA.sha256)]


def test_a_root_that_cross_signs_it_stands_in_for_it_until_it_ends(install, debian, found):
    without(debian, "Alpha")
    install("--cloud", "aws")
    assert found() == [("cloud-root-missing", "warning", ALPHA.sha256), ENDS]
    assert ("cloud-root-missing", "error", ALPHA.sha256) in found("--at", f"{UNTIL}")


def test_the_message_has_name_digest_source_and_date(install, debian, command, data):
    without(debian, "Alpha")
    install("--cloud", "aws")
    text = command("check", "--root", debian.path, "--root-data", data, "--select", "cloud-root-missing").out
    alpha, gamma = (each["name"] for each in CLOUD_ROOTS if each is not CLOUD_ROOTS[1])
    assert f"AWS IoT needs {alpha} (sha256 {ALPHA.sha256})" in text
    assert f"{gamma}, which cross-signs it, is enough until {UNTIL} (a list of the tests, " in text


@pytest.mark.parametrize("cloud", ["c8y", "az"])
def test_other_clouds_need_other_roots(install, debian, found, cloud):
    without(debian, "Alpha", "Beta")
    install("--cloud", cloud)
    assert found() == []


def test_the_caller_may_name_the_cloud(install, debian, found):
    without(debian, "Beta")
    install()
    assert found() == []
    assert found("--cloud", "aws") == [("cloud-root-missing", "warning", BETA.sha256), ENDS]


def test_the_path_of_the_setting_counts_and_not_the_store(install, debian, found):
    debian.write("etc/aws/ca.pem", BETA.pem)
    install("--set", "aws.root_cert_path=/etc/aws/ca.pem")
    assert found() == [("cloud-root-missing", "error", ALPHA.sha256)]


def test_a_constrained_twin_counts_as_the_root(install, debian, found, tmp_path):
    without(debian, "Alpha")
    (tmp_path / "alpha.pem").write_bytes(ALPHA.pem)
    install("--cert", tmp_path / "alpha.pem", "--permit", "amazonaws.com", "--cloud", "aws")
    assert found() == [ENDS]


def test_a_table_without_clouds_says_nothing(install, debian, found, data):
    without(debian, "Alpha", "Beta")
    install("--cloud", "aws")
    write(data, table())
    assert found() == []


@pytest.mark.parametrize("name", ["install", "check", "init"])
def test_a_wrong_cloud_names_the_option(command, debian, name):
    result = command(name, "--root", debian.path, "--cloud", "c8y@no good!")
    assert result.status == 2
    assert result.err.startswith('rootfs-trust: error: --cloud c8y@no good!: "no good!" is not a valid profile name')
