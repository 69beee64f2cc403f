"""``fleet --check``: read-only, a line a target, who trusts what, and the cost of few stores."""

from __future__ import annotations

import json
import subprocess

import pytest

from rootfs_trust.api.check import CheckOptions, check
from rootfs_trust.fleet import check_work
from rootfs_trust.fleet.check import FleetCheck
from rootfs_trust.fleet.run import FleetOptions
from tests.support.authority import DAY, NOW, Authority
from tests.support.command import rootfs_trust
from tests.support.debian_tree import shipped_authority
from tests.support.images import LayoutDirectory, Tarball
from tests.support.root_data import concerned, incident, root, spki, table, write
from tests.support.schemas import check_output
from tests.unit.fleet.conftest import CONFIG, Fleet

ALPHA = shipped_authority("mozilla/Alpha_Root.crt")
LEAKED = Authority("Leaked Root")


def run(fleet: Fleet, *words: object, status: int = 0) -> subprocess.CompletedProcess[bytes]:
    before = fleet.snapshot()
    done = rootfs_trust("fleet", fleet.file, "--check", *map(str, words), cwd=fleet.directory.parent)
    assert done.returncode == status, done.stderr.decode()
    assert fleet.snapshot() == before
    check_output("fleet", 0, done.stdout.decode())
    return done


def lines(done: subprocess.CompletedProcess[bytes]) -> dict[str, dict]:
    return {each["target"]: each for each in map(json.loads, done.stdout.decode().splitlines())}


@pytest.fixture
def installed(fleet):
    """Four trees with the anchor of the config."""
    fleet.grow(4)
    done = rootfs_trust("fleet", fleet.file, "-q", cwd=fleet.directory.parent)
    assert done.returncode == 0, done.stderr.decode()
    return fleet


def test_a_fleet_in_order(installed):
    done = run(installed, "--jobs", 2)
    found = lines(done)
    assert {each["status"] for each in found.values()} == {"ok"}
    assert all(each["servers"] == each["findings"] == [] and each["error"] is None for each in found.values())
    assert "ok              4  no finding" in done.stderr.decode()


def test_each_target_is_checked_against_the_policy_of_its_config(installed):
    (installed.directory / "edge.toml").write_text(
        (installed.directory / "edge.toml").read_text() + f'[policy]\nforbid = ["{ALPHA.sha256}"]\n'
    )
    bundle = installed.trees[1].path / "etc/ssl/certs/ca-certificates.crt"
    bundle.unlink()
    done = run(installed, status=1)
    found = lines(done)
    assert {each["status"] for each in found.values()} == {"findings"}
    ids = {target: {each["id"] for each in line["findings"]} for target, line in found.items()}
    assert ids["out/00/rootfs"] == {"forbidden"} and "output-missing" in ids["out/01/rootfs"]
    assert "forbidden" in done.stderr.decode()


def test_a_target_that_cannot_be_looked_at_fails_alone(installed):
    (installed.directory / "broken.tar").write_bytes(b"no tar")
    installed.file.write_text('[[target]]\nroot = "out/*/rootfs"\n[[target]]\nimage = "broken.tar"\n')
    found = lines(run(installed, status=1))
    assert found["broken.tar"]["status"] == "failed" and found["broken.tar"]["error"]
    assert [each["status"] for each in found.values()].count("ok") == 4


def test_who_trusts_an_incident(installed, tmp_path):
    """A root, a tar of a root, and a root with a device's state: by which client, from which file."""
    planted, state = installed.trees[2], tmp_path / "state"
    certifi = "usr/lib/python3/dist-packages/certifi/cacert.pem"
    planted.write(certifi, LEAKED.pem)
    subprocess.run(["tar", "-C", planted.path, "-cf", installed.directory / "image.tar", "."], check=True)
    (state / "ssl/certs").mkdir(parents=True)
    (state / "ssl/certs/ca-certificates.crt").write_bytes(LEAKED.pem)
    installed.file.write_text(
        '[[target]]\nroot = "out/0[0-2]/rootfs"\n[[target]]\nimage = "image.tar"\n'
        f'[[target]]\nroot = "out/03/rootfs"\nstate = ["copy:/etc={state}"]\n'
    )
    data = write(tmp_path / "roots.json", table(incidents=(incident(concerned(LEAKED, "root")),)))
    done = run(installed, "--who-trusts", "TEST-2026-1", "--root-data", data, status=1)
    found = lines(done)
    assert {target: each["status"] for target, each in found.items()} == {
        "out/00/rootfs": "ok",
        "out/01/rootfs": "ok",
        "out/02/rootfs": "findings",
        "image.tar": "findings",
        "out/03/rootfs": "findings",
    }
    for target in ("out/02/rootfs", "image.tar"):
        assert {(each["client"].partition(":")[0], each["path"]) for each in found[target]["trusted_by"]} == {
            ("certifi", f"/{certifi}")
        }
    state_clients = {each["client"] for each in found["out/03/rootfs"]["trusted_by"]}
    assert {"openssl-bundle", "gnutls", "go", "rustls-native"} <= state_clients
    assert all(each["sha256"] == LEAKED.sha256 for line in found.values() for each in line["trusted_by"])
    assert "TRUSTED BY" in done.stderr.decode()
    for question in (f"sha256:{LEAKED.sha256}", f"spki:{spki(LEAKED)}"):
        assert {each["status"] for each in lines(run(installed, "--who-trusts", question, status=1)).values()} == {
            "ok",
            "findings",
        }
    run(installed, "--who-trusts", "0" * 64)


def test_a_question_that_makes_no_sense_is_refused_before_anything_is_read(installed, tmp_path):
    data = write(tmp_path / "roots.json", table(root(LEAKED)))
    for words, says in (
        (("--who-trusts", "CVE-2026-11194"), "did you mean"),
        (("--who-trusts", "Leaked Rot", "--root-data", data), "Leaked Root"),
        (("--who-trusts", "spki:12"), "64 hex digits"),
        (("--root-data", tmp_path / "none.json"), "No such file"),
    ):
        done = run(installed, *words, status=2)
        assert not done.stdout and says in done.stderr.decode()
    done = rootfs_trust("fleet", installed.file, "--who-trusts", "x", cwd=installed.directory.parent)
    assert done.returncode == 2 and b"--check" in done.stderr


def test_targets_that_share_a_store_cost_one(installed, monkeypatch):
    """Forty links to one tree, and a second store: judged twice, whatever the number of targets."""
    for number in range(40):
        (installed.directory / f"out/{number + 10}").symlink_to("00")
    (installed.directory / "edge.toml").write_text("")
    installed.trees[1].write("usr/share/ca-certificates/mozilla/Delta_Root.crt", LEAKED.pem)
    calls = []
    monkeypatch.setattr(
        check_work,
        "who_trusts",
        lambda view, chosen: (calls.append(view.names("/usr/share/ca-certificates/mozilla")), ())[1],
    )
    check_work._who.cache_clear()
    installed.file.write_text('[[target]]\nroot = "out/*/rootfs"\n')
    check = FleetCheck(str(installed.file), FleetOptions(jobs=1), who="0" * 64)
    tasks = list(check._tasks(None)) * 10
    assert {check_work._checked(task).status for task in tasks} == {"ok"}
    assert len(calls) == 2
    check_work._who.cache_clear()


def test_servers_of_the_config_are_judged_in_every_target(installed, openssl_engine):
    """One server that all targets trust until its certificate ends, and one that a damaged target refuses, too."""
    authority, end = Authority("Cloud CA"), NOW + 90 * DAY
    (installed.directory / "ca.pem").write_bytes(authority.pem)
    assert rootfs_trust("fleet", installed.file, "-q", cwd=installed.directory.parent).returncode == 0
    (installed.directory / "chain.pem").write_bytes(authority.server("mqtt.example.com", not_after=end).pem)
    server = '[[server]]\nname = "production"\nchain = "chain.pem"\nhostname = "mqtt.example.com"\nclients = ["go"]\n'
    (installed.directory / "edge.toml").write_text(f"{CONFIG}{server}")
    done = run(installed)
    expected = {"name": "production", "until": end.strftime("%Y-%m-%dT%H:%M:%SZ"), "refused_by": []}
    assert [each["servers"] for each in lines(done).values()] == [[expected]] * 4
    table = " ".join(done.stderr.decode().split())
    assert f"production 4 targets {end.date()} 4: out/00/rootfs" in table

    (installed.directory / "chain.pem").write_bytes(Authority("Unknown CA").server("mqtt.example.com").pem)
    done = run(installed, status=1)
    assert {each["servers"][0]["refused_by"][0] for each in lines(done).values()} == {"go"}
    assert {finding["id"] for each in lines(done).values() for finding in each["findings"]} == {"server-refused"}
    assert "production 0 targets" in " ".join(done.stderr.decode().split())


@pytest.fixture
def with_servers(installed):
    """Four targets; the third refuses the one server, and no target may trust the other, which all do."""
    authority = Authority("Cloud CA")
    (installed.directory / "ca.pem").write_bytes(authority.pem)
    assert rootfs_trust("fleet", installed.file, "-q", cwd=installed.directory.parent).returncode == 0
    end = NOW + 90 * DAY
    (installed.directory / "chain.pem").write_bytes(authority.server("mqtt.example.com", not_after=end).pem)
    server = '[[server]]\nname = "<i>cloud</i>"\nchain = "chain.pem"\nclients = ["go"]\n'
    proxy = '[[server]]\nname = "proxied"\nchain = "chain.pem"\nclients = ["go"]\nrefused = true\n'
    (installed.directory / "edge.toml").write_text(f"{CONFIG}{server}{proxy}")
    third = installed.trees[2].path
    bundle, links = third / "etc/ssl/certs/ca-certificates.crt", third / "etc/ssl/certs"
    bundle.write_bytes(LEAKED.pem)
    for link in links.iterdir():
        if link.is_symlink():
            link.unlink()
    return installed


def test_a_page_about_the_fleet(with_servers, tmp_path, openssl_engine):
    page, text = tmp_path / "fleet.html", tmp_path / "fleet.md"
    run(with_servers, "--report", page, status=1)
    html = page.read_text()
    assert "<i>" not in html and "&lt;i&gt;cloud&lt;/i&gt;" in html
    words = " ".join(html.split())
    assert "<strong>3 of 4</strong> targets trust it." in words and "refused now" in words
    assert f"{(NOW + 90 * DAY).date()}" in words and "it must be refused" in words
    assert html.index('id="servers"') < html.index('id="findings"') and "server-trusted" in html
    assert not any(word in html for word in ("<script", "http://", "https://", "url("))
    run(with_servers, "--report", text, status=1)
    markdown = text.read_text()
    assert "| **refused now** | 1 | out/02/rootfs |" in markdown
    assert "**&lt;i&gt;cloud&lt;/i&gt;**: 3 of 4 targets trust it." in markdown
    assert "**proxied**: 3 of 4 targets trust it; it must be refused." in markdown
    assert "| refused now | 1 | out/02/rootfs |" in markdown


def test_a_page_needs_check(installed, tmp_path):
    done = rootfs_trust("fleet", installed.file, "--report", tmp_path / "x.html", cwd=installed.directory.parent)
    assert done.returncode == 2 and b"--check" in done.stderr and not (tmp_path / "x.html").exists()


def test_the_variables_of_an_image_belong_to_the_check(installed):
    """Two images with the same files. In one of them, a variable names a bundle with one root for every program."""
    tree = installed.trees[0]
    tree.write("opt/app/ca.pem", LEAKED.pem)
    base = Tarball().tree(tree.path, "").end()
    for name, variables in (("plain", []), ("moved", ["SSL_CERT_FILE=/opt/app/ca.pem"])):
        layout = LayoutDirectory(installed.directory / name)
        layout.index(layout.image(base, config={"config": {"Env": ["PATH=/bin", *variables]}}))
    targets = (f'[[target]]\nimage = "{name}"\nconfig = "edge.toml"\n' for name in ("plain", "moved"))
    installed.file.write_text("".join(targets))
    who = ("--who-trusts", LEAKED.sha256)
    for journal in ((), ("--journal", installed.directory.parent / "journal")):
        found = lines(run(installed, *who, *journal, status=1))
        assert {target: each["status"] for target, each in found.items()} == {"plain": "ok", "moved": "findings"}
        assert {each["path"] for each in found["moved"]["trusted_by"]} == {"/opt/app/ca.pem"}


def test_findings_about_an_image_are_those_of_check(installed):
    tree = installed.trees[0]
    tree.write("opt/app/ca.pem", LEAKED.pem)
    layout = LayoutDirectory(installed.directory / "moved")
    variables = ["SSL_CERT_FILE=/opt/app/ca.pem"]
    layout.index(layout.image(Tarball().tree(tree.path, "").end(), config={"config": {"Env": variables}}))
    installed.file.write_text('[[target]]\nimage = "moved"\nconfig = "edge.toml"\n')
    alone = check(str(layout.path), CheckOptions(config=str(installed.directory / "edge.toml")))
    expected = {(each.id, each.path) for each in alone if each.level != "note"}
    found = lines(run(installed, status=1))["moved"]["findings"]
    assert {(each["id"], each["path"]) for each in found if each["level"] != "note"} == expected != set()
