"""Verdicts that depend on the versions that the rootfs shows."""

from __future__ import annotations

import json

import pytest

from rootfs_trust.api.verify import verify_in
from rootfs_trust.audit.verify.chain import read_chain
from rootfs_trust.audit.verify.verdict import Verdict
from rootfs_trust.audit.verify.versions import Versions
from rootfs_trust.rootfs.view import File
from rootfs_trust.store.jks import keystore
from tests.limbo.algorithms import cases
from tests.limbo.cases import Case, read_cases
from tests.support.memory import MemoryTree
from tests.unit.audit.test_verify_versions import dpkg, go_program

pytestmark = [pytest.mark.usefixtures("openssl_engine"), pytest.mark.filterwarnings("ignore")]

BUNDLE, CERTIFI = "/etc/ssl/certs/ca-certificates.crt", "/usr/lib/python3.11/site-packages/certifi/cacert.pem"
JDK = "/usr/lib/jvm/jdk"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    file = tmp_path_factory.mktemp("cases") / "cases.json"
    file.write_text(json.dumps({"testcases": list(cases(["ML-DSA-65"]))}))
    return {case.id.removeprefix("algorithm::"): case for case in read_cases(file)}


def verdict(client: str, case: Case, entries: dict[str, bytes]) -> Verdict:
    roots = "".join(case.roots).encode()
    chain = read_chain("".join(case.chain).encode(), case.id)
    tree = {BUNDLE: roots, CERTIFI: roots, **entries}
    found = verify_in(
        MemoryTree({path: File(data) for path, data in tree.items()}), chain, case.host, case.at, [client]
    )
    return found.verdicts[0]


@pytest.mark.parametrize(
    ("client", "entries", "trusted", "told"),
    [
        ("go", {"/usr/bin/agent": go_program("1.26.8")}, True, "Go 1.26.8 (/usr/bin/agent)"),
        ("go", {"/usr/bin/agent": go_program("1.26.10")}, False, "Go 1.26.10 (/usr/bin/agent)"),
        ("go", {"/a": go_program("1.22.1"), "/usr/bin/b": go_program("1.27.3")}, False, "Go 1.22.1 to 1.27.3 (/a)"),
        ("go", {}, False, "the rootfs shows no version of Go, and 1.26 is assumed"),
        ("certifi", dpkg(**{"python3.11": "3.11.2-6"}), True, "Python 3.11.2 (/var/lib/dpkg/status)"),
        ("certifi", dpkg(**{"python3.11": "3.11.18-1"}), False, "Python 3.11.18 (/var/lib/dpkg/status)"),
        ("certifi", {}, False, "the rootfs shows no version of Python"),
        ("openssl-bundle", {}, True, ""),
        ("gnutls", {}, True, ""),
    ],
)
def test_a_leaked_key_is_refused_by_the_versions_that_block_it(client, entries, trusted, told, made):
    found = verdict(client, made["blocked::EMOVTLSCAG3B"], entries)
    assert (found.trusted, found.id) == (trusted, "" if trusted else "blocked")
    assert told in (found.note if trusted else found.reason)
    assert trusted or "CVE-2026-111943" in found.reason


def test_java_refuses_what_a_jdk_blocks(made):
    case = made["ML-DSA-65::sent along"]
    chain = read_chain("".join(case.chain).encode(), "")
    (root,) = read_chain("".join(case.roots).encode(), "").sent
    store = {f"{JDK}/lib/security/cacerts": keystore([("root", root.der)], 0)}
    assert verdict("java", case, store).trusted
    blocked = {f"{JDK}/lib/security/blocked.certs": b"Algorithm=SHA-256\n" + chain.server.sha256.upper().encode()}
    found = verdict("java", case, store | blocked)
    assert (found.trusted, found.id) == (False, "blocked")
    assert f"{JDK}/lib/security/blocked.certs" in found.reason
    of_anchor = {f"{JDK}/lib/security/blocked.certs": root.sha256.encode()}
    assert verdict("java", case, store | of_anchor).trusted


@pytest.mark.parametrize(
    ("client", "entries", "trusted", "told"),
    [
        ("openssl-bundle", dpkg(libssl3="3.0.15-1"), False, "OpenSSL 3.0.15 (/var/lib/dpkg/status)"),
        ("openssl-bundle", dpkg(libssl3t64="3.5.1-1"), True, "OpenSSL 3.5.1 (/var/lib/dpkg/status)"),
        ("openssl-bundle", {}, False, "no version of OpenSSL, and 3.0 is assumed"),
        ("go", {"/usr/bin/agent": go_program("1.27.3")}, True, "Go 1.27.3"),
        ("go", {"/a": go_program("1.26"), "/usr/bin/b": go_program("1.27.3")}, False, "Go 1.26 to 1.27.3"),
        ("gnutls", {}, False, "GnuTLS does not take keys of ML-DSA-65"),
        ("rustls-native", {}, False, "rustls does not take keys of ML-DSA-65"),
    ],
)
def test_a_key_of_a_new_kind_is_taken_by_the_versions_that_know_it(client, entries, trusted, told, made):
    found = verdict(client, made["ML-DSA-65::root"], entries)
    assert (found.trusted, found.id) == (trusted, "" if trusted else "algorithm")
    assert told in (found.note if trusted else found.reason)


def test_no_version_is_looked_for_where_none_decides(made, monkeypatch):
    monkeypatch.setattr(Versions, "of", lambda *_: pytest.fail("a version was looked for"))
    case = made["ML-DSA-65::sent along"]
    assert verdict("go", case, {}).trusted
    assert verdict("rustls-native", case, {}).trusted
