"""The table of docs/runtimes.md: what each runtime does before, after and after ``remove``, found by trying it.

``python -m tests.unit.runtimes.table`` writes it again.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from rootfs_trust.rootfs.view import Absent
from rootfs_trust.runtimes import castore, certifi, chromium, environment, firefox, java, mono, node
from rootfs_trust.runtimes.request import RuntimeRequest, RuntimeTree
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.jks import KeystoreEntry, write_keystore
from rootfs_trust.store.pkcs12 import Pkcs12, Safe, trusted_bag, write_pkcs12
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.memory import File, MemoryTree

DOCUMENT = Path(__file__).parents[3] / "docs" / "runtimes.md"
BEGIN, END = "<!-- table of runtimes -->\n", "<!-- end of the table -->\n"
COLUMNS = (
    "accepts before",
    "after",
    "after `remove`",
    "second run writes nothing",
    "same bytes twice",
    "others unchanged",
)
EXPECTED = ("no", "yes", "no", "yes", "yes", "yes")

THEIRS, OURS = Authority("Theirs"), Authority("Ours")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
SITE = "/opt/app/lib/python3.11/site-packages"
PEM = File(b"# Theirs\n" + THEIRS.pem)
REQUEST = RuntimeRequest((Anchor("ours", parse_certificate(OURS.der), ""),), bundle=BUNDLE, all_variables=True)
REMOVE = RuntimeRequest(removed=frozenset({OURS.sha256}), bundle=BUNDLE)
POLICIES = json.dumps({"CACertificates": [b64encode(THEIRS.der).decode()]}).encode()
INSTALL = json.dumps({"policies": {"Certificates": {"Install": ["/opt/theirs.pem"]}}}, indent=2).encode()
KEYSTORE = write_pkcs12(Pkcs12((Safe((trusted_bag("theirs", THEIRS.der),)),), None))

CASES: dict[str, tuple[ModuleType, dict[str, File]]] = {
    "`java`, JKS": (
        java,
        {"/opt/jdk/lib/security/cacerts": File(write_keystore([KeystoreEntry("theirs", 0, THEIRS.der)]))},
    ),
    "`java`, PKCS #12": (java, {"/opt/jdk/lib/security/cacerts": File(KEYSTORE)}),
    "`certifi`": (certifi, {f"{SITE}/certifi/cacert.pem": PEM, f"{SITE}/botocore/cacert.pem": PEM}),
    "`node`": (node, {"/usr/local/bin/node": File(b"")}),
    "`chromium`": (chromium, {"/usr/bin/chromium": File(b""), "/etc/chromium/policies/managed/a.json": File(POLICIES)}),
    "`firefox`": (
        firefox,
        {"/usr/lib/firefox/firefox": File(b""), "/etc/firefox/policies/policies.json": File(INSTALL)},
    ),
    "`castore`": (castore, {"/opt/app/lib/castore-1.0.5/priv/cacerts.pem": PEM}),
    "`mono`": (mono, {"/usr/bin/mono": File(b""), f"{mono.LEGACY}/theirs.cer": File(THEIRS.der)}),
    "`environment`": (environment, {"/usr/bin/git": File(b""), BUNDLE: File(THEIRS.pem + OURS.pem)}),
}


class _State(NamedTuple):
    files: dict[str, File]
    variables: dict[str, str]


def _run(runtime: ModuleType, files: dict[str, File], request: RuntimeRequest) -> _State:
    plan = runtime.plan(RuntimeTree(MemoryTree(files), {BUNDLE}), request)
    assert not (plan.conflicts or plan.problems)
    left = {**files, **plan.desired}
    return _State({path: each for path, each in left.items() if not isinstance(each, Absent)}, plan.variables)


def _accepts(runtime: ModuleType, state: _State) -> bool:
    """Whether the runtime finds our anchor: in a file that it reads, or by a variable that names one."""
    if runtime in (node, environment):
        return any(OURS.pem in state.files[path].content for path in state.variables.values())
    forms = (OURS.der, OURS.pem, b64encode(OURS.der))
    return any(form in file.content for file in state.files.values() for form in forms)


def row(runtime: ModuleType, files: dict[str, File]) -> tuple[str, ...]:
    """The answers to COLUMNS."""
    after = _run(runtime, files, REQUEST)
    removed = _run(runtime, after.files, REMOVE)
    answers = (
        _accepts(runtime, _State(files, {})),
        _accepts(runtime, after),
        _accepts(runtime, removed),
        _run(runtime, after.files, REQUEST) == after,
        _run(runtime, files, REQUEST) == after,
        removed.files == files,
    )
    return tuple("yes" if plan else "no" for plan in answers)


def table() -> str:
    """The table in Markdown."""
    rows = [("runtime", *COLUMNS), ("---",) * (len(COLUMNS) + 1)]
    rows += [(name, *row(*case)) for name, case in CASES.items()]
    return "".join(f"| {' | '.join(each)} |\n" for each in rows)


def page(text: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(page(DOCUMENT.read_text()))
