"""Policy files of Chromium and Firefox."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from rootfs_trust.rootfs.view import Absent
from rootfs_trust.runtimes import chromium, firefox
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.memory import File, MemoryTree

OURS, THEIRS = Authority("Ours"), Authority("Theirs")
REQUEST = RuntimeRequest((Anchor("ours", parse_certificate(OURS.der), ""),))
REMOVE = RuntimeRequest(removed=frozenset({OURS.sha256}))
BASE64 = {each: b64encode(each.der).decode() for each in (OURS, THEIRS)}
MANAGED = "/etc/chromium/policies/managed"
CHROMIUM = {"/usr/bin/chromium": File(b"")}
FIREFOX = {"/usr/lib/firefox-esr/firefox-esr": File(b"")}
SYSTEM = "/etc/firefox/policies/policies.json"
OUR_FILE = f"{firefox.DIRECTORY}/ours.pem"
FORMS = {
    "two": {"indent": 2},
    "four": {"indent": 4},
    "tab": {"indent": "\t"},
    "one line": {},
    "not ASCII": {"indent": 2, "ensure_ascii": False},
}


def applied(entries: dict, plan: RuntimePlan) -> dict:
    assert not plan.conflicts
    left = {**entries, **plan.desired}
    return {path: node for path, node in left.items() if not isinstance(node, Absent)}


def run(runtime, entries: dict, request: RuntimeRequest = REQUEST) -> dict:
    return applied(entries, runtime.plan(RuntimeTree(MemoryTree(entries)), request))


def document(entries: dict, path: str):
    return json.loads(entries[path].content)


def test_chromium_gets_a_file_of_ours():
    after = run(chromium, CHROMIUM)
    assert document(after, f"{MANAGED}/rootfs-trust.json") == {"CACertificates": [BASE64[OURS]]}
    assert run(chromium, after) == after
    assert run(chromium, after, REMOVE) == CHROMIUM


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_chromium_joins_the_file_that_sets_the_policy(form):
    text = json.dumps({"HomepageLocation": "https://ä.example", "CACertificates": [BASE64[THEIRS]]}, **form)
    entries = CHROMIUM | {f"{MANAGED}/company.json": File(text.encode())}
    after = run(chromium, entries)
    assert document(after, f"{MANAGED}/company.json")["CACertificates"] == [BASE64[THEIRS], BASE64[OURS]]
    assert f"{MANAGED}/rootfs-trust.json" not in after
    assert run(chromium, after, REMOVE) == entries


def test_chromium_leaves_files_of_other_policies_alone():
    entries = CHROMIUM | {f"{MANAGED}/company.json": File(b'{"HomepageLocation": "x"}')}
    after = run(chromium, entries)
    assert after[f"{MANAGED}/company.json"] == entries[f"{MANAGED}/company.json"]


def test_firefox_gets_the_policy_of_the_system():
    after = run(firefox, FIREFOX)
    assert document(after, SYSTEM) == {"policies": {"Certificates": {"Install": [OUR_FILE]}}}
    assert after[OUR_FILE].content == OURS.pem
    assert run(firefox, after) == after
    assert run(firefox, after, REMOVE) == FIREFOX


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("path", [SYSTEM, "/usr/lib/firefox-esr/distribution/policies.json"])
def test_firefox_keeps_other_policies(path, form):
    policies = {"DisableTelemetry": True, "Homepage": "ä", "Certificates": {"Install": ["/opt/other.pem"]}}
    entries = FIREFOX | {path: File(json.dumps({"policies": policies}, **form).encode())}
    after = run(firefox, entries)
    assert document(after, path)["policies"]["Certificates"]["Install"] == ["/opt/other.pem", OUR_FILE]
    assert document(after, path)["policies"]["DisableTelemetry"] is True
    assert run(firefox, after, REMOVE) == entries


def test_no_new_file_of_the_system_hides_the_policies_of_a_second_firefox():
    own, other = (f"/usr/lib/{name}/distribution/policies.json" for name in ("firefox-esr", "firefox"))
    entries = FIREFOX | {own: File(b'{"policies": {"DisableTelemetry": true}}'), "/usr/lib/firefox/firefox": File(b"")}
    after = run(firefox, entries)
    assert SYSTEM not in after
    assert [document(after, path)["policies"]["Certificates"]["Install"] for path in (own, other)] == [[OUR_FILE]] * 2
    assert run(firefox, after) == after
    assert run(firefox, after, REMOVE) == entries


def test_firefox_keeps_the_anchors_of_earlier_runs():
    other = RuntimeRequest((Anchor("theirs", parse_certificate(THEIRS.der), ""),))
    after = run(firefox, run(firefox, FIREFOX), other)
    install = document(after, SYSTEM)["policies"]["Certificates"]["Install"]
    assert install == [OUR_FILE, f"{firefox.DIRECTORY}/theirs.pem"]


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"CACertificates": 1, "policies": 1}'])
@pytest.mark.parametrize(
    ("runtime", "entries", "path"),
    [(chromium, CHROMIUM, f"{MANAGED}/a.json"), (firefox, FIREFOX, SYSTEM)],
    ids=["chromium", "firefox"],
)
def test_a_file_that_is_not_a_policies_file_is_one_conflict(runtime, entries, path, data):
    plan = runtime.plan(RuntimeTree(MemoryTree(entries | {path: File(data)})), REQUEST)
    assert [each.path for each in plan.conflicts] == [path]
