"""``--runtimes``: anchors in the stores that runtimes keep for themselves, through the command line."""

from __future__ import annotations

import pytest

from rootfs_trust.runtimes.environment import PROGRAMS
from rootfs_trust.runtimes.names import NAMES
from rootfs_trust.runtimes.variables import PROFILE, SYSTEMD
from rootfs_trust.store.jks import KeystoreEntry, read_keystore, write_keystore
from tests.support.authority import Authority

THEIRS = Authority("Theirs")
CERTIFI = "opt/app/lib/python3.11/site-packages/certifi/cacert.pem"
PIP = "opt/app/lib/python3.11/site-packages/pip/_vendor/certifi/cacert.pem"
BOTOCORE = "opt/app/lib/python3.11/site-packages/botocore/cacert.pem"
JDK = "opt/jdk/lib/security/cacerts"
CASTORE = "opt/app/lib/castore-1.0.5/priv/cacerts.pem"
NODE = "usr/local/bin/node"
NODE_FILE = "usr/share/rootfs-trust/node-extra-ca-certs.pem"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@pytest.fixture
def ca(tmp_path):
    authority = Authority("My CA")
    (tmp_path / "my-ca.pem").write_bytes(authority.pem)
    return authority


@pytest.fixture
def runtimes(debian):
    """A root filesystem with one of each runtime."""
    put(debian, JDK, write_keystore([KeystoreEntry("theirs", 0, THEIRS.der)]))
    for path in (CERTIFI, PIP, BOTOCORE, CASTORE):
        put(debian, path, b"# Theirs\n" + THEIRS.pem)
    put(debian, NODE, b"")
    put(debian, "usr/lib/systemd/system/dbus.service", b"")
    return debian


def put(tree, path: str, content: bytes) -> None:
    (tree.path / path).parent.mkdir(parents=True, exist_ok=True)
    (tree.path / path).write_bytes(content)


@pytest.fixture
def run(install, tmp_path, ca):
    return lambda *words: install("--cert", tmp_path / "my-ca.pem", *words)


def text(tree, path: str) -> str:
    return (tree.path / path.lstrip("/")).read_text()


def test_every_store_gets_the_anchor(runtimes, run, ca):
    result = run("--runtimes", "auto")
    assert result.status == 0
    for path in (CERTIFI, PIP, BOTOCORE, CASTORE, NODE_FILE):
        assert ca.pem.decode() in text(runtimes, path)
    assert {entry.der for entry in read_keystore((runtimes.path / JDK).read_bytes())} == {THEIRS.der, ca.der}
    assert f'export NODE_EXTRA_CA_CERTS="/{NODE_FILE}"\n' in text(runtimes, PROFILE)
    assert f'DefaultEnvironment="NODE_EXTRA_CA_CERTS=/{NODE_FILE}"\n' in text(runtimes, SYSTEMD)
    assert f'export REQUESTS_CA_BUNDLE="{BUNDLE}"\n' in text(runtimes, PROFILE)


STORES = {"java", "certifi", f"certifi:/{PIP}", f"certifi:/{BOTOCORE}", f"castore:/{CASTORE}", "node"}
"""What the clients of these runtimes are called."""


@pytest.mark.parametrize("names", ["none", "auto"])
def test_list_and_report_show_which_runtimes_see_the_anchor(runtimes, run, command, tmp_path, names):
    run("--runtimes", names)
    listed = command("list", "--root", runtimes.path, "--format", "json").document["anchors"]
    (anchor,) = [each for each in listed if each["name"] == "my-ca"]
    assert set(anchor["clients"]) & STORES == (STORES if names == "auto" else set())
    command("report", "--root", runtimes.path, "-o", tmp_path / "report.md")
    (row,) = [line for line in (tmp_path / "report.md").read_text().splitlines() if line.startswith("| my-ca |")]
    seen_by = row.split(" | ")[4].replace("\\", "").split(", ")
    assert seen_by == ["every client"] if names == "auto" else not STORES.intersection(seen_by)


def test_a_second_run_writes_nothing(runtimes, run):
    run("--runtimes", "auto")
    before = runtimes.snapshot()
    assert not run("--runtimes", "auto").document["changed"]
    assert runtimes.snapshot() == before


def test_remove_takes_ours_out_again(runtimes, run, command):
    stores = (JDK, CERTIFI, PIP, BOTOCORE, CASTORE)
    before = {path: (runtimes.path / path).read_bytes() for path in stores}
    run("--runtimes", "auto")
    assert command("remove", "--root", runtimes.path, "--format", "json", "my-ca").status == 0
    assert {path: (runtimes.path / path).read_bytes() for path in stores} == before
    assert not [path for path in (NODE_FILE, PROFILE[1:], SYSTEMD[1:]) if (runtimes.path / path).exists()]


def test_a_store_that_cannot_be_read_keeps_nobody_from_removing(runtimes, run, command, ca):
    run("--runtimes", "certifi")
    put(runtimes, JDK, b"no keystore")
    result = command("remove", "--root", runtimes.path, "--format", "json", "my-ca")
    assert (result.status, result.warnings) == (0, [("runtime-store", f"/{JDK}")])
    assert ca.pem.decode() not in text(runtimes, CERTIFI)


def test_one_of_two_anchors_is_removed(runtimes, run, command, tmp_path, ca):
    other = Authority("Other CA")
    (tmp_path / "other.pem").write_bytes(other.pem)
    run("--cert", tmp_path / "other.pem", "--runtimes", "auto")
    command("remove", "--root", runtimes.path, "my-ca")
    for path in (CERTIFI, NODE_FILE):
        assert ca.pem.decode() not in text(runtimes, path)
        assert other.pem.decode() in text(runtimes, path)
    assert "NODE_EXTRA_CA_CERTS" in text(runtimes, PROFILE)
    assert "REQUESTS_CA_BUNDLE" in text(runtimes, PROFILE)


def test_without_the_option_no_store_is_touched(runtimes, run):
    paths = {path for _, path in run().actions}
    assert not paths & {f"/{path}" for path in (JDK, CERTIFI, NODE_FILE)}


def test_anchors_of_earlier_runs_are_carried(runtimes, run, install, ca):
    run()
    assert install("--runtimes", "certifi").status == 0
    assert ca.pem.decode() in text(runtimes, CERTIFI)
    assert ca.pem.decode() not in text(runtimes, CASTORE)


def test_the_configuration_names_runtimes(runtimes, run, tmp_path, ca):
    (tmp_path / "rootfs-trust.toml").write_text('[runtimes]\nuse = ["castore"]\n')
    run("--config", tmp_path / "rootfs-trust.toml")
    assert ca.pem.decode() in text(runtimes, CASTORE)
    assert ca.pem.decode() not in text(runtimes, CERTIFI)


def test_the_option_wins_over_the_configuration(runtimes, run, tmp_path, ca):
    (tmp_path / "rootfs-trust.toml").write_text('[runtimes]\nuse = ["castore"]\n')
    run("--config", tmp_path / "rootfs-trust.toml", "--runtimes", "none")
    assert ca.pem.decode() not in text(runtimes, CASTORE)


def test_a_password_file_of_the_configuration(runtimes, run, tmp_path, ca):
    put(runtimes, JDK, write_keystore([KeystoreEntry("theirs", 0, THEIRS.der)], "secret"))
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "rootfs-trust.toml").write_text('[runtimes]\nuse = ["java"]\njava_password_file = "password"\n')
    assert run("--config", tmp_path / "rootfs-trust.toml").status == 0
    assert len(read_keystore((runtimes.path / JDK).read_bytes(), "secret")) == 2


def test_a_renewed_anchor_replaces_the_old_one(runtimes, run, tmp_path, ca):
    run("--runtimes", "auto")
    new = Authority("My CA", key=ca.key)
    (tmp_path / "my-ca.pem").write_bytes(new.pem)
    run("--replace", "my-ca", "--runtimes", "auto")
    assert new.pem.decode() in text(runtimes, CERTIFI)
    assert ca.pem.decode() not in text(runtimes, CERTIFI)
    assert {entry.der for entry in read_keystore((runtimes.path / JDK).read_bytes())} == {THEIRS.der, new.der}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "environment"])
def test_a_runtime_that_is_named_and_not_there_is_refused(refused, tmp_path, ca, name):
    result = refused("--cert", tmp_path / "my-ca.pem", "--runtimes", name)
    assert result.errors == [("runtime-missing", "")]


def test_environment_by_name_sets_every_variable(debian, run):
    run("--runtimes", "environment")
    assert [line for line in text(debian, PROFILE).splitlines() if line.startswith("export ")] == sorted(
        f'export {program.variable}="{BUNDLE}"' for program in PROGRAMS
    )


def test_auto_without_any_runtime_is_not_an_error(debian, run):
    assert run("--runtimes", "auto").status == 0


@pytest.mark.parametrize("words", ["nodejs", "auto,java", "none,java"])
def test_names_that_make_no_sense(refused, words):
    assert refused("--runtimes", words).errors == [("usage", "")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (JDK, write_keystore([KeystoreEntry("theirs", 0, THEIRS.der)], "secret")),
        (JDK, b"no keystore"),
        (CERTIFI, b"# rootfs-trust: end\n"),
        (NODE_FILE, b"somebody else's"),
        (PROFILE[1:], b"export A=1\n"),
        ("etc/environment", b"NODE_EXTRA_CA_CERTS=/opt/other.pem\n"),
    ],
    ids=["password", "no keystore", "changed block", "foreign file", "proforeign file", "variable"],
)
def test_conflicts_of_runtimes(runtimes, refused, tmp_path, ca, path, content):
    put(runtimes, path, content)
    result = refused("--cert", tmp_path / "my-ca.pem", "--runtimes", "auto", status=3)
    assert result.errors == [("conflict", f"/{path}")]


def test_a_variable_that_names_the_same_file_is_not_a_conflict(runtimes, run):
    put(runtimes, "etc/environment", f"REQUESTS_CA_BUNDLE={BUNDLE}\n".encode())
    assert run("--runtimes", "auto").status == 0
    assert "REQUESTS_CA_BUNDLE" not in text(runtimes, PROFILE)


def test_distrust_without_runtimes_is_refused_where_a_copy_keeps_the_trust(debian, command):
    shipped = debian.read("usr/share/ca-certificates/mozilla/Alpha_Root.crt").decode()
    put(debian, CERTIFI, f"# Alpha\n{shipped}\n# Theirs\n{THEIRS.pem.decode()}".encode())
    before = debian.snapshot()
    result = command("remove", "--root", debian.path, "mozilla/Alpha_Root.crt", "--format", "json")
    assert (result.status, result.errors) == (3, [("conflict", f"/{CERTIFI}")])
    assert "--runtimes auto" in result.document["errors"][0]["hint"]
    assert debian.snapshot() == before


def test_distrust_reaches_the_copies_of_runtimes_that_are_named(debian, command):
    shipped = debian.read("usr/share/ca-certificates/mozilla/Alpha_Root.crt").decode()
    put(debian, CERTIFI, f"# Alpha\n{shipped}\n# Theirs\n{THEIRS.pem.decode()}".encode())
    assert command("remove", "--root", debian.path, "--runtimes", "certifi", "mozilla/Alpha_Root.crt").status == 0
    assert shipped not in text(debian, CERTIFI)
    assert THEIRS.pem.decode() in text(debian, CERTIFI)


def test_a_bundle_of_nothing_but_ours_is_not_named_by_auto(tmp_path, command, ca):
    root = tmp_path / "scratch"
    store = root / CERTIFI
    store.parent.mkdir(parents=True)
    store.write_bytes(THEIRS.pem)
    (root / "etc").mkdir()
    words = ("--cert", tmp_path / "my-ca.pem", "--layout", "bundle-only", "--format", "json")
    result = command("install", "--root", root, *words, "--runtimes", "auto")
    assert "environment-few-roots" in [each for each, _ in result.warnings]
    assert ca.pem in store.read_bytes()
    assert not (root / PROFILE[1:]).exists()
