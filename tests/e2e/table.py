"""The table of client times case: what is expected, and docs/client-table.md that prints it.

``python -m tests.e2e.table`` writes docs/client-table.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cases import CASES
from tests.e2e.judges import JUDGES, Seen

DOCUMENT = Path(__file__).parents[2] / "docs" / "client-table.md"
YES = "yes"


@dataclass(frozen=True)
class Refusal:
    """``words`` is a pattern of the clients' messages; ``why`` is the explanation in the docs."""

    words: str
    why: str


REFUSALS = {
    "issuer": Refusal(
        "unable to get local issuer certificate|signed by unknown authority|issuer is unknown"
        "|unable to find valid certification path|invalid peer certificate: UnknownIssuer",
        "the client finds no path from the server's certificate to an installed one",
    ),
    "root": Refusal(
        "unable to get issuer certificate",
        "the client finds the intermediate, but also needs the self-signed root; install the root, too",
    ),
    "ca": Refusal(
        "CaUsedAsEndEntity",
        "rustls does not accept a certificate with CA:TRUE for a server; create the server's with CA:FALSE",
    ),
    "expired": Refusal(
        "certificate has expired|peer certificate: Expired|expired certificate|CertificateExpired|is not valid after",
        "a certificate in the path has expired",
    ),
    "early": Refusal(
        "not yet valid|NotValidYet|CertificateNotYetValid|is not valid before",
        "a certificate in the path is not yet valid",
    ),
    "name": Refusal(
        "ostname mismatch|NotValidForName|not valid for name|no alternative certificate subject name matches"
        "|is valid for .*, not|No subject alternative DNS name matching|legacy Common Name|does not match the expected",
        "the certificate does not have this name, or not in the field that the client checks",
    ),
    "names": Refusal(
        "permitted subtree violation|NameConstraintViolation|violates the signer's constraints"
        "|not authorized to sign for this name",
        "the CA's name constraints forbid the server's name",
    ),
    "weak": Refusal(
        "too weak|peer certificate: BadSignature|UnsupportedSignatureAlgorithm|insecure algorithm",
        "a key or signature is too weak for the client",
    ),
    "purpose": Refusal(
        "unsuitable certificate purpose|unsupported certificate purpose|EkuNotFound|EkuError|xtended key usage"
        "|incompatible key usage|does not match the intended purpose",
        "the certificate is not for servers",
    ),
    "reject": Refusal("certificate rejected", "the trust settings in the file reject it"),
    "verify": Refusal("certificate verify failed", "mosquitto prints no reason; the reasons are those of OpenSSL"),
}

# Written by hand after a look at what each client really said.
# fmt: off
_TABLES = (
    {
        "":                                   "ca   sent not-sent both alone  edge self-ca stranger",
        "mosquitto bridge":                   "yes  yes  verify   yes  verify yes  yes     verify",
        "thin-edge.io 1.4.1 built-in bridge": "yes  yes  issuer   yes  yes    yes  ca      issuer",
        "thin-edge.io 2.0.1 built-in bridge": "yes  yes  issuer   yes  yes    yes  ca      issuer",
        "thin-edge.io 1.4.1 HTTPS":           "yes  yes  issuer   yes  yes    yes  ca      issuer",
        "thin-edge.io 2.0.1 HTTPS":           "yes  yes  issuer   yes  yes    yes  ca      issuer",
        "openssl s_client":                   "yes  yes  issuer   yes  root   yes  yes     issuer",
        "curl":                               "yes  yes  issuer   yes  yes    yes  yes     issuer",
        "Python ssl to 3.12":                 "yes  yes  issuer   yes  root   yes  yes     issuer",
        "Python ssl since 3.13":              "yes  yes  issuer   yes  yes    yes  yes     issuer",
        "gnutls-cli":                         "yes  yes  issuer   yes  yes    yes  yes     issuer",
        "Go":                                 "yes  yes  issuer   yes  yes    yes  yes     issuer",
        "Java":                               "yes  yes  issuer   yes  yes    yes  yes     issuer",
        "rtls (rustls)":                      "yes  yes  issuer   yes  issuer yes  ca      issuer",
        "pyreqwest (rustls)":                 "yes  yes  issuer   yes  yes    yes  ca      issuer",
    },
    {
        "":                                   "old-ca  expired early  old-edge renewed crossed name   subject distrust",
        "mosquitto bridge":                   "verify  verify  verify verify   yes     yes     verify yes     verify",
        "thin-edge.io 1.4.1 built-in bridge": "yes     expired early  expired  yes     yes     name   name    issuer",
        "thin-edge.io 2.0.1 built-in bridge": "yes     expired early  expired  yes     yes     name   name    issuer",
        "thin-edge.io 1.4.1 HTTPS":           "yes     expired early  expired  yes     yes     name   name    issuer",
        "thin-edge.io 2.0.1 HTTPS":           "yes     expired early  expired  yes     yes     name   name    issuer",
        "openssl s_client":                   "expired expired early  expired  yes     yes     name   yes     issuer",
        "curl":                               "expired expired early  expired  yes     yes     name   yes     issuer",
        "Python ssl to 3.12":                 "expired expired early  expired  yes     yes     name   yes     issuer",
        "Python ssl since 3.13":              "expired expired early  expired  yes     yes     name   yes     issuer",
        "gnutls-cli":                         "expired expired early  expired  yes     yes     name   yes     issuer",
        "Go":                                 "expired expired early  expired  yes     yes     name   name    issuer",
        "Java":                               "yes     expired early  yes      yes     yes     name   yes     issuer",
        "rtls (rustls)":                      "yes     expired early  expired  yes     yes     name   name    issuer",
        "pyreqwest (rustls)":                 "yes     expired early  expired  yes     yes     name   name    issuer",
    },
    {
        "":                                   "in   out    sha1   rsa1024 client  pinned bom    trusted rejected",
        "mosquitto bridge":                   "yes  verify verify verify  verify  verify yes    yes     verify",
        "thin-edge.io 1.4.1 built-in bridge": "yes  names  weak   weak    purpose issuer issuer issuer  issuer",
        "thin-edge.io 2.0.1 built-in bridge": "yes  names  weak   weak    purpose issuer issuer issuer  issuer",
        "thin-edge.io 1.4.1 HTTPS":           "yes  names  weak   weak    purpose issuer issuer issuer  issuer",
        "thin-edge.io 2.0.1 HTTPS":           "yes  names  weak   weak    purpose issuer issuer issuer  issuer",
        "openssl s_client":                   "yes  names  weak   weak    purpose issuer yes    yes     reject",
        "curl":                               "yes  names  weak   weak    purpose yes    yes    yes     reject",
        "Python ssl to 3.12":                 "yes  names  weak   weak    purpose issuer yes    yes     reject",
        "Python ssl since 3.13":              "yes  names  weak   weak    purpose yes    yes    yes     reject",
        "gnutls-cli":                         "yes  names  weak   yes     purpose yes    yes    issuer  issuer",
        "Go":                                 "yes  names  weak   yes     purpose yes    issuer issuer  issuer",
        "Java":                               "yes  yes    yes    yes     purpose yes    yes    issuer  issuer",
        "rtls (rustls)":                      "yes  names  weak   weak    purpose issuer issuer issuer  issuer",
        "pyreqwest (rustls)":                 "yes  names  weak   weak    purpose issuer issuer issuer  issuer",
    },
)
# fmt: on


def _cells() -> dict[str, dict[str, str]]:
    cells: dict[str, dict[str, str]] = {}
    for table in _TABLES:
        cases = table[""].split()
        for client, row in table.items():
            if client:
                cells.setdefault(client, {}).update(zip(cases, row.split(), strict=True))
    return cells


EXPECTED = _cells()
"""The verdict of each client for each case. It is the same for the directory and for the file."""


def expected(client: str, case: str) -> str:
    return EXPECTED[_plain(client)][case]


def cell(seen: Seen, expectation: str) -> str:
    """What ``seen`` is in the terms of the table: as expected, if that fits, else whatever fits, or all of it."""
    if seen.connected:
        return YES
    fitting = [name for name, refusal in REFUSALS.items() if re.search(refusal.words, seen.said)]
    return expectation if expectation in fitting else " ".join(fitting) or f"refused, saying:\n{seen.said}"


_HEAD = """# Which client connects

This page is generated by `python -m tests.e2e.table`; do not edit it. Each cell is a test
(`tests/e2e/test_clients.py`). The test starts a local server with a generated certificate, and prepares a Debian
tree with `rootfs-trust install --cert ... --cloud c8y`. It then configures the client with the rendered settings.
`root_cert_path` is the directory `/etc/ssl/certs` or, with `--set`, the file `/etc/ssl/certs/ca-certificates.crt`.

mosquitto's bridge is the real one, configured as `tedge connect` does. For thin-edge.io's other clients, a small
program (`tests/e2e/clients/thin-edge`) loads the anchors by their rules. It uses the PEM parser of the versions
that the releases lock. The built-in bridge uses rustls itself, and HTTPS uses reqwest 0.11.23 and 0.12.15 as the
releases do.
"""

_NOTES = """
- The self-signed certificate of Cumulocity Edge, which is not a CA, works with every client in the table. GnuTLS
  warns that a certificate in its list is not a CA. With CA:TRUE, the certificate works with every client except
  those that use rustls. So mosquitto's bridge connects, but thin-edge.io's built-in bridge and HTTPS client do not.
- curl (since 7.68), GnuTLS, Go, Java, rustls and Python since 3.13 accept an intermediate without its root.
  mosquitto, `openssl` and Python up to 3.12 also need the root. rtls behaves like Python's older `ssl`.
- If the server does not send its intermediate, all clients refuse it, unless the intermediate is installed.
- rustls and Java do not check whether the installed CA has expired. Java does not even check it for a server's own
  certificate in its keystore, and ignores the name constraints of an installed CA.
- Go and rustls refuse a certificate with its name only in the subject.
- Clients disagree about anything that is not clean PEM. So `install` writes clean PEM, and `--adopt` rewrites
  existing files.

`rootfs-trust verify` gives the same verdicts without the clients ([verify.md](verify.md)); a test compares it with
this table.
"""


def document() -> str:
    """docs/client-table.md"""
    lines = [_HEAD]
    for table in _TABLES:
        lines += [*_markdown(table), ""]
    lines += ["The servers, and what is installed:", ""]
    lines += [f"{number}. {title}." for number, (title, _) in enumerate(CASES.values(), 1)]
    lines += ["", "Why a client refuses:", ""]
    lines += [f"- **{name}**: {refusal.why}." for name, refusal in REFUSALS.items()]
    return "\n".join(lines) + "\n" + _NOTES


def _markdown(table: Mapping[str, str]) -> Iterator[str]:
    cases = table[""].split()
    yield f"| client | {' | '.join(str(list(CASES).index(case) + 1) for case in cases)} |"
    yield f"| --- |{' --- |' * len(cases)}"
    for client, row in table.items():
        if client:
            trust = ", ".join(judge.name.rpartition(", ")[2] for judge in JUDGES if _plain(judge.name) == client)
            words = [word if word == YES else f"**no**: {word}" for word in row.split()]
            yield f"| {client}: {trust} | {' | '.join(words)} |"


def _plain(judge: str) -> str:
    return judge.rpartition(", ")[0]


assert list(EXPECTED) == list(dict.fromkeys(_plain(judge.name) for judge in JUDGES)), "a row for each client"
assert all(list(row) == list(CASES) for row in EXPECTED.values()), "a cell for each case, in their order"

if __name__ == "__main__":
    DOCUMENT.write_text(document())
