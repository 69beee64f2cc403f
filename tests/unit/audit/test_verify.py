"""``verify``: one verdict a client, the reason in the user's words, and the contract's JSON."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.authority import DAY, NOW, Authority
from tests.support.command import install, rootfs_trust
from tests.support.debian_tree import DebianTree
from tests.support.servers import https_server

pytestmark = pytest.mark.usefixtures("openssl_engine")

ALWAYS = ["openssl-directory", "openssl-bundle", "gnutls", "go", "rustls-native"]
THIN_EDGE = ["thin-edge-mosquitto-bridge", "thin-edge-built-in-bridge", "thin-edge-https"]


class Case:
    """A tree that trusts ``installed``, and a chain in a file."""

    def __init__(self, directory: Path, installed: tuple[Authority, ...], *sent: Authority) -> None:
        self.tree = DebianTree(directory / "tree")
        self.chain = directory / "chain.pem"
        self.chain.write_bytes(b"".join(each.pem for each in sent))
        for number, each in enumerate(installed):
            (directory / f"ca-{number}.pem").write_bytes(each.pem)
        certs = [word for number in range(len(installed)) for word in ("--cert", directory / f"ca-{number}.pem")]
        install(self.tree.path, *certs, "--cloud", "c8y")

    def verify(self, *options: str, status: int) -> dict[str, dict]:
        words = ("verify", "--root", self.tree.path, "--chain", self.chain, "--format", "json", *options)
        done = rootfs_trust(*words)
        assert done.returncode == status, done.stderr.decode()
        return {each["client"]: each for each in json.loads(done.stdout)["verdicts"]}


@pytest.fixture
def root() -> Authority:
    return Authority("Private Root")


def test_every_client_of_the_contract_gives_a_verdict(tmp_path: Path, root: Authority):
    found = Case(tmp_path, (root,), root.server("localhost")).verify("--hostname", "localhost", status=0)
    assert list(found) == ALWAYS + THIN_EDGE
    assert all(each["trusted"] for each in found.values())
    assert {each["path"][-1] for each in found.values()} == {root.sha256}


def test_a_missing_issuer_is_named_with_the_hash_that_was_looked_for(tmp_path: Path, root: Authority):
    other = Authority("Somebody Else")
    found = Case(tmp_path, (other,), root.server("localhost")).verify(status=1)
    assert {each["id"] for each in found.values()} == {"issuer-missing"}
    assert "CN=Private Root (subject hash d25ff95c) is not in /etc/ssl/certs" in found["openssl-directory"]["reason"]


def test_an_unknown_client_gets_a_suggestion(tmp_path: Path, root: Authority):
    found = Case(tmp_path, (root,), root.server("localhost")).verify("--hostname", "example.com", status=1)
    assert {each["id"] for each in found.values()} == {"host-name"}
    assert "is for localhost, not for example.com" in found["go"]["reason"]


def test_expired_and_not_yet_valid_are_reported_with_the_time(tmp_path: Path, root: Authority):
    server = root.server("localhost", not_before=NOW - 9 * DAY, not_after=NOW + 9 * DAY)
    case = Case(tmp_path, (root,), server)
    late = case.verify("--at", str(int((NOW + 10 * DAY).timestamp())), status=1)
    early = case.verify("--at", str(int((NOW - 10 * DAY).timestamp())), status=1)
    assert {each["id"] for each in late.values()} == {"expired"}
    assert {each["id"] for each in early.values()} == {"not-yet-valid"}
    end = (NOW + 9 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert f"it was valid until {end}" in late["gnutls"]["reason"]


def test_in_the_last_second_of_a_certificate_all_clients_but_openssls_trust_it(tmp_path: Path, root: Authority):
    """RFC 5280, 4.1.2.5: the validity includes notAfter. For OpenSSL a certificate has expired in that second."""
    server = root.server("localhost", not_before=NOW - 9 * DAY, not_after=NOW + 9 * DAY)
    case = Case(tmp_path, (root,), server)
    last = int((NOW + 9 * DAY).timestamp())
    found = case.verify("--at", str(last), status=1)
    by_openssl = {"openssl-directory", "openssl-bundle", "thin-edge-mosquitto-bridge"}
    assert {name for name, each in found.items() if not each["trusted"]} == by_openssl
    assert all(each["trusted"] for each in case.verify("--at", str(last - 1), status=0).values())
    assert not any(each["trusted"] for each in case.verify("--at", str(last + 1), status=1).values())


def test_a_self_signed_ca_is_not_a_server_for_rustls_alone(tmp_path: Path):
    server = Authority("localhost", names=("localhost",), key_usage=False)
    found = Case(tmp_path, (server,), server).verify("--hostname", "localhost", status=1)
    refused = {name for name, each in found.items() if not each["trusted"]}
    assert refused == {"rustls-native", "thin-edge-built-in-bridge", "thin-edge-https"}
    assert found["rustls-native"]["id"] == "ca-names-server"


def test_an_intermediate_without_its_root_is_too_little_for_openssl_alone(tmp_path: Path, root: Authority):
    intermediate = Authority("Private Intermediate", issuer=root)
    case = Case(tmp_path, (intermediate,), intermediate.server("localhost"), intermediate)
    found = case.verify(status=1)
    refused = {name for name, each in found.items() if not each["trusted"]}
    assert refused == {"openssl-directory", "openssl-bundle", "thin-edge-mosquitto-bridge"}
    assert "requires the self-signed root" in found["openssl-bundle"]["reason"]


def test_the_horizon_is_the_end_of_the_first_validity_that_is_needed(tmp_path: Path, root: Authority):
    server = root.server("localhost", not_after=NOW + 9 * DAY)
    found = Case(tmp_path, (root,), server).verify(status=0)
    end = (NOW + 9 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {each["horizon"]["at"] for each in found.values()} == {end}
    assert "CN=localhost has expired" in found["openssl-bundle"]["horizon"]["reason"]


def test_only_the_clients_that_are_named_are_judged(tmp_path: Path, root: Authority):
    case = Case(tmp_path, (root,), root.server("localhost"))
    assert list(case.verify("--client", "go", "--client", "gnutls", status=0)) == ["gnutls", "go"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--client", "java"), "the rootfs has no client java"),
        (("--client", "netscape"), "no client is called netscape"),
        (("--chain", "{}/no-such.pem"), "cannot be read"),
        (("--chain", "{}/tree/etc/os-release"), "no certificate was found"),
        (("--chain", "{}/tree"), "contains no certificate file"),
        (("--root", "{}/nowhere"), "cannot be opened"),
    ],
)
def test_bad_input_is_reported_with_status_2(options: tuple[str, ...], message: str, tmp_path: Path, root: Authority):
    case = Case(tmp_path, (root,), root.server("localhost"))
    words = [word.format(tmp_path) for word in options]
    done = rootfs_trust("verify", "--root", case.tree.path, "--chain", case.chain, "--format", "json", *words)
    assert done.returncode == 2
    assert message in json.loads(done.stdout)["errors"][0]["message"]


def test_the_text_has_a_line_a_client(tmp_path: Path, root: Authority):
    case = Case(tmp_path, (root,), root.server("localhost"))
    done = rootfs_trust("verify", "--root", case.tree.path, "--chain", case.chain, "-v")
    text = done.stdout.decode()
    assert "openssl-directory           trusted  by CN=Private Root in /etc/ssl/certs/d25ff95c.0" in text
    assert "verdicts for OpenSSL's clients by OpenSSL" in text
    assert text.endswith("8 clients trust it.\n")


def test_a_date_that_clients_have_in_common_is_printed_once(tmp_path: Path, root: Authority):
    end = NOW + 100 * DAY
    case = Case(tmp_path, (root,), root.server("localhost", not_after=end))
    text = rootfs_trust("verify", "--root", case.tree.path, "--chain", case.chain).stdout.decode()
    (line,) = (line for line in text.splitlines() if "until" in line)
    assert line.startswith(f"Trusted until {end.date()}: ")


def test_a_date_that_others_do_not_have_is_printed_beneath_its_client(tmp_path: Path):
    """rustls does not mind the end of an anchor; the others do."""
    root = Authority("Private Root", not_after=NOW + 50 * DAY)
    case = Case(tmp_path, (root,), root.server("localhost", not_after=NOW + 100 * DAY))
    text = rootfs_trust("verify", "--root", case.tree.path, "--chain", case.chain).stdout.decode()
    lines = [line.strip() for line in text.splitlines() if "until" in line]
    assert lines[-1].startswith(f"The others trust it until {(NOW + 50 * DAY).date()}: ")
    assert len(lines) > 1
    assert all(line.startswith(f"until {(NOW + 100 * DAY).date()}") for line in lines[:-1])


@pytest.mark.parametrize("name", ["", ".", "a..b", "a" * 64 + ".example", "\u202e.example", "a\x1b[31m"])
def test_what_is_not_a_host_name_is_refused(name: str, tmp_path: Path, root: Authority):
    """It would not be checked at all by some, and nobody could have been asked for it."""
    case = Case(tmp_path, (root,), root.server("localhost"))
    done = rootfs_trust("verify", "--root", case.tree.path, "--chain", case.chain, "--hostname", name)
    assert done.returncode == 2, done.stderr
    assert b"is not a host name" in done.stderr and done.stdout == b""


def test_without_root_and_fetch_there_is_nothing_to_do(tmp_path: Path):
    done = rootfs_trust("verify", "--chain", tmp_path / "x.pem")
    assert done.returncode == 2
    assert b"--fetch" in done.stderr


def test_fetch_saves_what_a_server_sends_and_verify_judges_it(tmp_path: Path, root: Authority):
    intermediate = Authority("Private Intermediate", issuer=root)
    server = intermediate.server("localhost")
    shown = SimpleNamespace(pem=server.pem + intermediate.pem, key_pem=server.key_pem)
    case = Case(tmp_path, (root,), server)
    saved = tmp_path / "saved.pem"
    with https_server(shown, tmp_path) as port:
        done = rootfs_trust("verify", "--fetch", f"127.0.0.1:{port}", "--chain", saved)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert b"Saved 2 certificates" in done.stderr
    assert saved.read_bytes() == server.pem + intermediate.pem
    assert rootfs_trust("verify", "--root", case.tree.path, "--chain", saved).returncode == 0
    again = rootfs_trust("verify", "--fetch", f"127.0.0.1:{port}", "--chain", tmp_path / "new.pem")
    assert (again.returncode, b"cannot be reached" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    "server",
    ["localhost", "localhost:", ":443", "localhost:99999", "localhost:https", "a..b:443", "localhost:" + "9" * 5000],
)
def test_fetch_wants_host_and_port(server: str, tmp_path: Path):
    done = rootfs_trust("verify", "--fetch", server, "--chain", tmp_path / "new.pem")
    assert (done.returncode, b"is not HOST:PORT" in done.stderr) == (2, True)


def test_fetch_replaces_no_file(tmp_path: Path, root: Authority):
    taken = tmp_path / "taken.pem"
    taken.write_bytes(b"mine")
    with https_server(root.server("localhost"), tmp_path) as port:
        done = rootfs_trust("verify", "--fetch", f"localhost:{port}", "--chain", taken)
    assert (done.returncode, taken.read_bytes()) == (3, b"mine")
