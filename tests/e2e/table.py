"""The table of client times case: what is expected, and docs/clients.md that prints it.

``python -m tests.e2e.table`` writes docs/clients.md anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cases import CASES
from tests.e2e.judges import JUDGES, Seen

DOCUMENT = Path(__file__).parents[2] / "docs" / "clients.md"
YES = "yes"


@dataclass(frozen=True)
class Refusal:
    """``words`` are the clients' own, as a pattern; ``why`` is for people."""

    words: str
    why: str


REFUSALS = {
    "issuer": Refusal(
        "unable to get local issuer certificate|signed by unknown authority|issuer is unknown"
        "|unable to find valid certification path|invalid peer certificate: UnknownIssuer",
        "the client finds no way from the server's certificate to an installed one",
    ),
    "root": Refusal(
        "unable to get issuer certificate",
        "the client finds the intermediate and wants the self-signed root as well; install the root too",
    ),
    "ca": Refusal(
        "CaUsedAsEndEntity",
        "rustls takes no certificate with CA:TRUE for a server's; make the server's with CA:FALSE",
    ),
    "expired": Refusal(
        "certificate has expired|peer certificate: Expired|expired certificate|CertificateExpired|is not valid after",
        "a certificate on the way has expired",
    ),
    "early": Refusal(
        "not yet valid|NotValidYet|CertificateNotYetValid|is not valid before",
        "a certificate on the way is not yet valid",
    ),
    "name": Refusal(
        "ostname mismatch|NotValidForName|not valid for name|no alternative certificate subject name matches"
        "|is valid for .*, not|No subject alternative DNS name matching|legacy Common Name|does not match the expected",
        "the certificate is not for this name, or not where the client looks for one",
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
    "reject": Refusal("certificate rejected", "the trust settings in the file say so"),
    "verify": Refusal("certificate verify failed", "mosquitto says no more than that; the reasons are OpenSSL's"),
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
"""What each client makes of each case, whether it is pointed at the folder or at the file."""


def expected(client: str, case: str) -> str:
    return EXPECTED[_plain(client)][case]


def cell(seen: Seen, expectation: str) -> str:
    """What ``seen`` is in the terms of the table: as expected, if that fits, else whatever fits, or all of it."""
    if seen.connected:
        return YES
    fitting = [name for name, refusal in REFUSALS.items() if re.search(refusal.words, seen.said)]
    return expectation if expectation in fitting else " ".join(fitting) or f"refused, saying:\n{seen.said}"


_HEAD = """# Which client connects

Made by `python -m tests.e2e.table`; do not edit. Each cell is a test (`tests/e2e/test_clients.py`): a server on
loopback with a certificate made on the spot, a Debian tree prepared by `rootfs-trust install --cert ... --cloud c8y`,
and the client set up as the rendered settings say, `root_cert_path` at the folder `/etc/ssl/certs` or, by `--set`, at
the file `/etc/ssl/certs/ca-certificates.crt`. mosquitto's bridge is the real one, configured as `tedge connect` does.
thin-edge.io's other clients are played by a small program (`tests/e2e/clients/thin-edge`) that loads trust by their
rules, with the PEM parser of the versions that the releases lock. The built-in bridge is rustls itself; HTTPS is the
client of reqwest 0.11.23 and 0.12.15, made as the releases make it.
"""

_NOTES = """
- The self-signed certificate of Cumulocity Edge (no CA) works with every client here. GnuTLS notes on standard error
  that a certificate in its list is no CA. The same with CA:TRUE works with all but rustls, and so with mosquitto's
  bridge but not with thin-edge.io's built-in bridge nor its HTTPS.
- An intermediate without its root is enough for curl (since 7.68), GnuTLS, Go, Java, rustls and Python since 3.13;
  mosquitto, `openssl` and Python up to 3.12 want the root too. rtls plays Python's older `ssl` in this.
- A server that does not send its intermediate is refused by all, unless the intermediate is installed too.
- rustls and Java do not ask whether the installed CA has expired; Java does not even ask it of a server's own
  certificate that is in its store, nor does it heed the name constraints of an installed CA.
- A certificate with its name in the subject alone is refused by Go and rustls.
- What is not clean PEM splits the clients: so `install` writes clean PEM, and `--adopt` makes what it finds clean.

`rootfs-trust verify` gives these verdicts without any of the clients ([verify.md](verify.md)); a test holds it
against this table.
"""


def document() -> str:
    """docs/clients.md"""
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
