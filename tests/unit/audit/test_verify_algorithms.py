"""The tables of algorithms and of blocked keys, held against what real clients of several versions said."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from rootfs_trust.audit.verify import algorithms
from rootfs_trust.audit.verify.assumed_versions import ASSUMED, numbers_in
from rootfs_trust.audit.verify.blocked_keys import blocks
from tests.limbo.algorithms import ALGORITHMS, BLOCKED, KINDS, RECORDED, cases
from tests.limbo.cases import Case, read_cases
from tests.limbo.ours import Fixed, verdict

pytestmark = [pytest.mark.usefixtures("openssl_engine"), pytest.mark.filterwarnings("ignore")]

MADE_HERE = [name for name in ALGORITHMS if name != "SM2"]  # which asks for a program of this machine


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    file = tmp_path_factory.mktemp("algorithms") / "cases.json"
    file.write_text(json.dumps({"testcases": list(cases(MADE_HERE))}))
    return {case.id.removeprefix("algorithm::"): case for case in read_cases(file)}


@pytest.mark.parametrize("column", RECORDED)
def test_every_algorithm_is_judged_as_the_real_client_judges_it(column: str, made: dict[str, Case]):
    name, _, version = column.rpartition(" ")
    versions = Fixed(version, name if " with " in name else "")
    engine = name.partition(" ")[0]
    said = {f"{each}::{kind}": RECORDED[column][each][place] for each in MADE_HERE for place, kind in enumerate(KINDS)}
    for each in MADE_HERE:
        handshake = RECORDED[column][each][-1]
        said[f"{each}::server"] = "y" if said[f"{each}::server"] == handshake == "y" else "n"
    ours = {case: "y" if verdict(engine, made[case], versions)[0] else "n" for case in said}
    assert ours == said


@pytest.mark.parametrize("key", BLOCKED)
@pytest.mark.parametrize(
    ("engine", "version", "trusted"),
    [
        ("go", "1.25.12", True),
        ("go", "1.26.9", True),
        ("go", "1.26.10", False),
        ("go", "1.27.2", True),
        ("go", "1.27.3", False),
        ("go", "1.28", False),
        ("rustls", "0.101.7", True),
        ("rustls", "0.103.15", True),
        ("rustls", "0.103.16", False),
    ],
)
def test_keys_are_blocked_from_a_version_on(key: str, engine: str, version: str, trusted: bool, made: dict[str, Case]):
    said, reason = verdict(engine, made[f"blocked::{key}"], Fixed(version))
    assert said is trusted
    assert trusted or "CVE-2026-111943" in reason


@pytest.mark.parametrize("first", ["3.11.18", "3.12.16", "3.13.18", "3.14.10", "3.15.2"])
def test_python_blocks_from_a_version_on_in_every_series(first: str):
    version = numbers_in(first)
    assert blocks("python", version)
    assert not blocks("python", (*version[:2], version[2] - 1))


def test_series_without_an_entry_block_if_they_are_newer():
    assert blocks("python", (3, 16))
    assert not blocks("python", (3, 10, 22))


@pytest.mark.parametrize(
    ("table", "engine", "kind", "since", "before"),
    [
        (algorithms.ISSUERS, "openssl", "DSA", "", ""),
        (algorithms.ISSUERS, "openssl", "RSA-PSS", "1.1.1", ""),
        (algorithms.ISSUERS, "openssl", "brainpoolP384r1", "1.0.2", ""),
        (algorithms.ISSUERS, "openssl", "Ed25519", "1.1.1", ""),
        (algorithms.ISSUERS, "openssl", "Ed448", "1.1.1", ""),
        (algorithms.ISSUERS, "openssl", "P-192", "", ""),
        (algorithms.ISSUERS, "openssl", "ML-DSA-44", "3.5", ""),
        (algorithms.ISSUERS, "openssl", "SLH-DSA-SHA2-128s", "3.5", ""),
        (algorithms.ISSUERS, "openssl", "SM2", "4.0", ""),
        (algorithms.SERVERS, "openssl", "RSA-PSS", "1.1.1", ""),
        (algorithms.SERVERS, "openssl", "brainpoolP256r1", "3.2", ""),
        (algorithms.SERVERS, "openssl", "Ed25519", "1.1.1", ""),
        (algorithms.SERVERS, "openssl", "Ed448", "1.1.1", ""),
        (algorithms.SERVERS, "openssl", "ML-DSA-65", "3.5", ""),
        (algorithms.ISSUERS, "gnutls", "DSA", "", ""),
        (algorithms.ISSUERS, "gnutls", "RSA-PSS", "3.6", ""),
        (algorithms.ISSUERS, "gnutls", "Ed25519", "3.6", ""),
        (algorithms.ISSUERS, "gnutls", "Ed448", "3.6.12", ""),
        (algorithms.SERVERS, "gnutls", "RSA-PSS", "3.6", ""),
        (algorithms.SERVERS, "gnutls", "Ed25519", "3.6", ""),
        (algorithms.SERVERS, "gnutls", "Ed448", "3.6.12", ""),
        (algorithms.ISSUERS, "go", "Ed25519", "1.13", ""),
        (algorithms.ISSUERS, "go", "ML-DSA-87", "1.27", ""),
        (algorithms.SERVERS, "go", "Ed25519", "1.13", ""),
        (algorithms.SERVERS, "go", "ML-DSA-87", "1.27", ""),
        (algorithms.ISSUERS, "java", "DSA", "", ""),
        (algorithms.ISSUERS, "java", "RSA-PSS", "11", ""),
        (algorithms.ISSUERS, "java", "Ed448", "15", ""),
        (algorithms.ISSUERS, "java", "ML-DSA-44", "24", ""),
        (algorithms.SERVERS, "java", "RSA-PSS", "11", ""),
        (algorithms.SERVERS, "java", "Ed25519", "15", ""),
        (algorithms.SERVERS, "java", "Ed448", "15", ""),
        (algorithms.ISSUERS, "mbedtls", "P-192", "", "3"),
        (algorithms.ISSUERS, "mbedtls", "P-224", "", "3"),
        (algorithms.ISSUERS, "mbedtls", "secp256k1", "", "3"),
        (algorithms.SERVERS, "mbedtls", "P-224", "", "3"),
        (algorithms.SERVERS, "mbedtls", "secp256k1", "", "3"),
    ],
)
def test_an_algorithm_is_known_in_some_versions(table, engine: str, kind: str, since: str, before: str):
    ask = algorithms.unknown_issuer if table is algorithms.ISSUERS else algorithms.unknown_server
    key = SimpleNamespace(key_algorithm=kind)

    def reason(version: str) -> str:
        return ask(engine, key, lambda: Fixed(version).of(SimpleNamespace(engine=engine)))

    if since:
        assert since in reason("0.9")
        assert reason(since) == ""
    if before:
        assert before in reason(before)
        assert reason("2.28") == ""
    if not since and not before:
        assert reason("0.9") == ""


def test_an_assumed_version_is_reported():
    key = SimpleNamespace(key_algorithm="ML-DSA-65")
    reason = algorithms.unknown_issuer("openssl", key, lambda: ASSUMED["openssl"])
    assert "shows no version of OpenSSL, and 3.0 is assumed" in reason


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3.0.15-1~deb12u1", (3, 0, 15)),
        ("1:1.1.1w-r0", (1, 1, 1)),
        ("go1", ()),
        ("", ()),
        ("99999999999.1", (999999999,)),
        ("17", (17,)),
    ],
)
def test_numbers_of_a_package(text: str, numbers: tuple[int, ...]):
    assert numbers_in(text) == numbers
