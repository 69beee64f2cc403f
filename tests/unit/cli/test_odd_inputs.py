"""Odd certificates as inputs, within limits of time and memory: each element changed, and large fields."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.support.command import REPOSITORY
from tests.support.debian_tree import DebianTree
from tests.support.odd_certificates import with_one_change
from tests.support.peers import PLAIN_ENVIRONMENT
from tests.unit.x509.building import BASIC_CONSTRAINTS, CA_TRUE, certificate, element, extension, name, utf8

GIBIBYTE = 1024**3
CA = extension(BASIC_CONSTRAINTS, CA_TRUE, critical=True)
RSA = bytes.fromhex("300d06092a864886f70d0101010500")


def limited(seconds: int, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A run with a gibibyte of memory and so many seconds of processor time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (GIBIBYTE, GIBIBYTE))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

    return subprocess.run(
        [sys.executable, "-m", "rootfs_trust", *map(str, words)],
        env={**PLAIN_ENVIRONMENT, "PYTHONPATH": str(REPOSITORY)},
        preexec_fn=limit,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def rsa_key(bits: int) -> bytes:
    modulus = b"\0" + (1 << (bits - 1) | 1).to_bytes(bits // 8)
    key = element(0x30, element(0x02, modulus), element(0x02, b"\1\0\1"))
    return element(0x30, RSA, element(0x03, b"\0", key))


MANY = (extension(f"2a03{1 + n // 128:02x}{n % 128:02x}", b"") for n in range(10_000))
LARGE = {
    "a serial number of 20,000 bytes": certificate(
        name(utf8("a")), serial=element(2, b"\1" * 20_000), extensions=(CA,)
    ),
    "a serial number of no bytes": certificate(name(utf8("a")), serial=element(2), extensions=(CA,)),
    "a negative serial number": certificate(name(utf8("a")), serial=element(2, b"\xff" * 40), extensions=(CA,)),
    "an empty name": certificate(element(0x30), extensions=(CA,)),
    "an empty issuer": certificate(name(utf8("a")), element(0x30), extensions=(CA,)),
    "a name of empty texts": certificate(name(utf8(""), utf8("")), extensions=(CA,)),
    "a name of 10,000 parts": certificate(name(*map(utf8, "a" * 10_000)), extensions=(CA,)),
    "a name of 1 MB": certificate(name(utf8("a" * 1_000_000)), extensions=(CA,)),
    "10,000 extensions": certificate(
        name(utf8("a")),
        extensions=(CA, *(extension(f"2a03{1 + n // 128:02x}{n % 128:02x}", b"") for n in range(10_000))),
    ),
    "a key of 16,384 bits": certificate(name(utf8("a")), key=rsa_key(16_384), extensions=(CA,)),
    "a key of 1,000,000 bits": certificate(name(utf8("a")), key=rsa_key(1_000_000), extensions=(CA,)),
    "10 MB": certificate(name(utf8("a")), extensions=(CA, extension("2a0304", bytes(10_000_000)))),
}


@pytest.mark.parametrize("form", ["pem", "der"])
@pytest.mark.parametrize("der", LARGE.values(), ids=LARGE)
def test_large_fields(debian, tmp_path, der, form):
    file = tmp_path / f"odd.{form}"
    file.write_bytes(encode(der) if form == "pem" else der)
    done = limited(30, "install", "--root", debian.root, "--cert", file, "--format", "json")
    assert done.returncode in (0, 2), (done.returncode, done.stderr[:2000])
    if done.returncode == 0:
        for words in (["list"], ["check"], ["sbom"], ["report", "-o", tmp_path / "x.html"]):
            done = limited(30, words[0], "--root", debian.root, *words[1:])
            assert done.returncode == 0 or (done.returncode == 1 and words == ["check"]), (words, done.stderr[:2000])


# -- each element of a certificate -------------------------------------------------------------------------


def test_each_element_changed(tmp_path, command):
    """What is refused is refused together, by name; with the rest every command ends well."""
    given, tree = tmp_path / "given", DebianTree(tmp_path / "rootfs")
    given.mkdir()
    rich = Authority("Rich CA", organization="Ö", names=("a.example",))
    for number, der in enumerate(dict.fromkeys(with_one_change(rich.der))):
        (given / f"{number}.der").write_bytes(der)
    words = ("install", "--root", tree.root, "--cert", given, "--at", "2026-06-01", "--format", "json")
    done = command(*words, "--dry-run")
    assert done.status == 2
    refused = {Path(each["path"]).name for each in json.loads(done.out)["errors"]}
    files = set(os.listdir(given))
    assert 100 < len(refused) < len(files) and refused <= files
    for each in refused:
        (given / each).unlink()
    assert command(*words).status == 0
    assert json.loads(command(*words).out)["actions"] == []
    listed = json.loads(command("list", "--root", tree.root, "--format", "json").out)["anchors"]
    assert len(listed) >= len(files - refused)
    chain = next(given.iterdir())
    for words in (("check",), ("report", "-o", "-"), ("sbom",), ("verify", "--chain", chain), ("rehash",)):
        where = ("--root", tree.root, *(("/etc/ssl/certs",) if words == ("rehash",) else ()))
        assert command(words[0], *where, *words[1:]).status in (0, 1 if words[0] in ("check", "verify") else 0)
