"""Hostile texts of the formats that several kinds of items share: TOML, certdata.txt, JSON."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.fuzz.shapes import toml
from tests.hostile.mutations import BIDI, ESC, changed, damaged
from tests.support.authority import Authority

_AUTHORITY = Authority("Of certdata")

RENDER = {"template": "t.j2", "dest": "/etc/t", "mode": "0644", "values": {"a": {"b": [1]}}, "replace": True}
CONFIG: dict[str, Any] = {
    "store": {"layout": "auto", "base": "keep", "distrust": ["a" * 64], "roots": "ca.pem"},
    "policy": {"min_rsa_bits": 2048, "min_days_left": 1, "require_ca": True, "strict": False, "forbid": ["b" * 64]},
    "anchor": [{"file": "ca.pem", "name": "a", "sha256": "c" * 64, "replace": True, "allow": ["expired"]}],
    "cloud": [{"kind": "c8y", "profile": "p", "root_cert_path": "/etc/ssl/certs", "at_run_time": False}],
    "render": [RENDER],
}
TEDGE: dict[str, Any] = {
    "config": {"version": "2"},
    "c8y": {"url": "a.b", "root_cert_path": "/etc/ssl/certs", "profiles": {"x": {"root_cert_path": "/b"}}},
    "mqtt": {"bridge": {"built_in": True}, "port": 1883},
    "http": {"port": 8000, "client": {"host": "h"}, "ca_path": "/etc"},
}


def hostile_toml(random: Random, document: dict[str, Any]) -> bytes:
    """The document with odd values, or a text that is hard to read."""
    way = random.randrange(14)
    if way < 8:
        return _as_toml(changed(random, document)).encode("utf-8", "surrogateescape")
    return (
        lambda: b"a = " + b"[" * 60_000,
        lambda: b"a" + b".a" * 40_000 + b" = 1\n",
        lambda: b"".join(b"[t%d.a.b]\nx = 1\n" % number for number in range(20_000)),
        lambda: b"a = " + b"1" * 6000 + b"\nb = 0x" + b"f" * 6000 + b"\nc = 1979-05-27T07:32:00.9999999999+23:59\n",
        lambda: f'"{"x" * 9000}" = 1\n"\\u001b[31m" = "{BIDI}"\n'.encode() + b'"\\u202e" = 1\n',
        lambda: damaged(random, _as_toml(document).encode()),
    )[way - 8]()


def _as_toml(document: dict[str, Any]) -> str:
    try:
        return toml(document)
    except (TypeError, ValueError, AttributeError):
        return f"# {ESC}\n[a]\nb = nan\n"


def hostile_json(random: Random, document: Any) -> bytes:
    """The document with odd values, or what a reader of JSON stumbles over."""
    way = random.randrange(16)
    if way < 10:
        return json.dumps(changed(random, document)).encode("utf-8", "surrogatepass")
    valid = json.dumps(document).encode()
    return (
        lambda: b"[" * 100_000,
        lambda: b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        lambda: valid[:-1] + b', "n": ' + b"9" * 20_000 + b"}",
        lambda: b"\xef\xbb\xbf" + valid,
        lambda: valid.decode().encode("utf-16"),
        lambda: damaged(random, valid),
    )[way - 10]()


def certdata(random: Random) -> bytes:
    """Mozilla's file with lines that are missing, doubled, or odd."""
    octets = "".join(f"\\{octet:03o}" for octet in _AUTHORITY.der)
    lines = [
        *("BEGINDATA", "CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE", f'CKA_LABEL UTF8 "{ESC}\\x41"'),
        *(
            "CKA_ISSUER MULTILINE_OCTAL",
            "\\060\\000",
            "END",
            "CKA_SERIAL_NUMBER MULTILINE_OCTAL",
            "\\002\\001\\001",
            "END",
        ),
        *("CKA_VALUE MULTILINE_OCTAL", octets, "END", "CKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST"),
        *(
            "CKA_ISSUER MULTILINE_OCTAL",
            "\\060\\000",
            "END",
            "CKA_SERIAL_NUMBER MULTILINE_OCTAL",
            "\\002\\001\\001",
            "END",
        ),
        *(
            "CKA_NSS_SERVER_DISTRUST_AFTER MULTILINE_OCTAL",
            "\\071\\071\\071\\071\\071\\071\\071\\071\\071\\071\\071\\071\\132",
            "END",
        ),
        "CKA_TRUST_SERVER_AUTH CK_TRUST CKT_NSS_TRUSTED_DELEGATOR",
    ]
    odd = (
        "\\999",
        "\\",
        "END",
        "CKA_X",
        "CKA_VALUE MULTILINE_OCTAL",
        "\\060" * 100_000,
        "CKA_LABEL UTF8 " + '"' * 10_000,
        "#" * 10_000,
    )
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(lines))
        lines[at : at + random.randint(0, 2)] = [random.choice(odd)] * random.choice((0, 1, 2, 500))
    return "\n".join(lines).encode()
