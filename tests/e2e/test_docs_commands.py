"""The commands on the pages of docs run as they are printed; no page with commands is left out."""

from __future__ import annotations

import json
import shutil
import ssl
import tarfile
from pathlib import Path

import pytest

from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.command import REPOSITORY
from tests.support.docs_blocks import SampleDirectory, blocks
from tests.support.peers import peer
from tests.support.root_data import incident, table

ELSEWHERE = {
    "docs/compromised-ca.md": "tests/e2e/test_compromised_page.py",
    "docs/ci.md": "tests/adoption",
    "docs/containers.md": "tests/containers",
    "docs/how-to.md": "tests/e2e/test_docs.py",
    "docs/images.md": "tests/peers/test_image.py",
    "docs/other-builders.md": "tests/builders",
    "docs/rotation.md": "tests/e2e/test_rotation_page.py",
    "docs/runtimes.md": "tests/unit/image/test_runtimes.py",
    "docs/thin-edge.md": "tests/unit/thin_edge/test_docs.py",
    "docs/tutorial.md": "tests/e2e/test_docs.py",
    "docs/yocto.md": "tests/yocto/test_docs.py",
}
PAGES = (
    "advise",
    "check",
    "fleet",
    "getting-started",
    "install",
    "list",
    "provenance",
    "rehash",
    "remove",
    "report",
    "sbom",
    "verify",
)
SEVERAL_STATUSES = (
    "rootfs-trust check",
    "rootfs-trust diff",
    "rootfs-trust fleet fleet.toml --check",
    "rootfs-trust verify",
)
"""1 is an answer of theirs."""

NOT_HERE = {
    "pip install": "the environment of the tests has the extras; tests/peers/test_wheel.py installs",
    "dask ": "tests/peers/test_fleet_dask.py starts the scheduler and the workers",
    "rootfs-trust fleet fleet.toml --dask": "the same",
    "rootfs-trust verify --fetch": "tests/unit/audit/test_verify.py has the server",
}


@pytest.fixture
def sample(tmp_path) -> SampleDirectory:
    """What the pages speak of: a rootfs, the last release's, a CA that is installed, a server's chain, a fleet."""
    sample = SampleDirectory(tmp_path)
    here = sample.path
    mine = Authority("My CA")
    (here / "my-ca.pem").write_bytes(mine.pem)
    (here / "server.pem").write_bytes(mine.server("mqtt.example.com").pem)
    shutil.copytree(here / "rootfs", here / "last-release/rootfs", symlinks=True)
    assert sample.run("rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y").returncode == 0
    for directory in ("data/etc-upper", "old-etc-tedge", "certs", "out/a", "images", "rootfs/etc/mosquitto/ca"):
        (here / directory).mkdir(parents=True)
    (here / "certs/my-ca.pem").write_bytes(mine.pem)
    shutil.copytree(here / "last-release/rootfs", here / "out/a/rootfs", symlinks=True)
    (here / "rootfs-trust.toml").write_text(
        '[[server]]\nname = "production"\nchain = "server.pem"\nhostname = "mqtt.example.com"\n'
    )
    (here / "edge.toml").write_text('[[anchor]]\nfile = "my-ca.pem"\n')
    with tarfile.open(here / "images/app.tar", "w") as archive:
        archive.add(here / "last-release/rootfs", arcname=".")
    return sample


def lines(page: str) -> list[str]:
    """The commands of a page that can run here."""
    text = "".join(block.text for block in blocks(f"docs/{page}.md") if block.language == "sh")
    return [line for line in text.splitlines() if not line.startswith(tuple(NOT_HERE))]


def filled_in(line: str, here: Path) -> str:
    """What stands for a reader's own names and digests."""
    shipped = next((here / "rootfs/usr/share/ca-certificates/mozilla").glob("*_R1.crt"))
    digest = "$(rootfs-trust list --root ./rootfs --format csv | grep R2 | grep -oE '[0-9a-f]{64}')"
    if line.endswith("remove --root ./rootfs CVE-2026-111943"):
        (here / "roots.json").write_text(json.dumps(table(incidents=(incident(of_sample(here)),))))
        return line.replace("CVE-2026-111943", "TEST-2026-1 --root-data roots.json")
    return line.replace("Certigna.crt", shipped.name).replace("sha256:0123...", f"sha256:{digest}")


def of_sample(here: Path) -> dict[str, str]:
    """A root that the sample ships, as an incident names it."""
    file = sorted((here / "rootfs/usr/share/ca-certificates/mozilla").glob("*.crt"))[-1]
    certificate = parse_certificate(ssl.PEM_cert_to_DER_cert(file.read_text()))
    return {"name": file.stem, "kind": "root", "sha256": certificate.sha256}


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page(sample, page):
    found = lines(page)
    assert found, "a page of this list has commands"
    if any(line.startswith("jq") for line in found):
        peer("jq")
    if page == "fleet":
        (text,) = (block.text for block in blocks("docs/fleet.md")[:1] if block.language == "toml")
        (sample.path / "fleet.toml").write_text(text)
    for line in found:
        done = sample.run(f"export GITHUB_STEP_SUMMARY=summary.md\n{filled_in(line, sample.path)}")
        allowed = (0, 1) if line.startswith(SEVERAL_STATUSES) else (0,)
        assert done.returncode in allowed, (line, done.stdout, done.stderr)
        assert "rootfs-trust: error" not in done.stderr


def test_what_the_commands_leave(sample):
    """They do what their pages say, and have content."""
    for page in ("provenance", "report", "sbom", "fleet"):
        test_the_commands_of_a_page(sample, page)
    here = sample.path
    assert len((here / "subjects.txt").read_text().splitlines()) > 3
    assert (here / "trust.cdx.json").stat().st_size > 1000 and (here / "trust.spdx.json").stat().st_size > 1000
    assert (here / "trust.html").exists() and (here / "trust.md").exists() and (here / "summary.md").exists()
    assert (here / "signed/app.tar").exists()
    (here / "rootfs/etc/ssl/certs/ca-certificates.crt").write_text("another\n")
    check = sample.run(lines("provenance")[-1])
    assert check.returncode == 1 and "ca-certificates.crt: FAILED" in check.stdout


def test_no_page_with_commands_is_left_out():
    with_commands = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "docs").glob("*.md")
        if any(block.language == "sh" for block in blocks(f"docs/{path.name}"))
    }
    assert with_commands == {*ELSEWHERE, *(f"docs/{page}.md" for page in PAGES)}
    assert all((REPOSITORY / place).exists() for place in ELSEWHERE.values())
