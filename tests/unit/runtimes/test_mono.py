"""Mono's machine store, under the names that cert-sync gives."""

from __future__ import annotations

import time

from rootfs_trust.rootfs.view import Absent
from rootfs_trust.runtimes import mono
from rootfs_trust.runtimes.request import RuntimeRequest, RuntimeTree
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.memory import File, MemoryTree

OURS, SAME_NAME, THEIRS = Authority("Ours"), Authority("Ours"), Authority("Theirs")
MONO = {"/usr/bin/mono": File(b"")}


def request(*authorities: Authority) -> RuntimeRequest:
    return RuntimeRequest(tuple(Anchor("a", parse_certificate(each.der), "") for each in authorities))


def run(entries: dict, wanted: RuntimeRequest) -> dict:
    plan = mono.plan(RuntimeTree(MemoryTree(entries)), wanted)
    left = {**entries, **plan.desired}
    return {path: node for path, node in left.items() if not isinstance(node, Absent)}


def test_both_forms_are_written():
    after = run(MONO, request(OURS))
    certificate = parse_certificate(OURS.der)
    (legacy,) = [path for path in after if path.startswith(mono.LEGACY)]
    assert legacy.startswith(f"{mono.LEGACY}/ski-{certificate.subject_key_id.hex().upper()}")
    assert after[legacy].content == OURS.der
    assert after[f"{mono.BTLS}/{certificate.subject.hash}.0"].content == OURS.pem


def test_a_second_run_writes_nothing_and_removing_gives_back_what_was():
    after = run(MONO, request(OURS))
    assert run(after, request(OURS)) == after
    assert run(after, RuntimeRequest(removed=frozenset({OURS.sha256}))) == MONO


def test_two_certificates_of_one_subject():
    after = run(run(MONO, request(OURS)), request(SAME_NAME))
    assert run(MONO, request(OURS, SAME_NAME)) == after
    number = parse_certificate(OURS.der).subject.hash
    assert after[f"{mono.BTLS}/{number}.1"].content == SAME_NAME.pem


def test_a_certificate_is_found_after_another_one_of_its_subject_is_removed():
    names = [Authority("Ours") for _ in range(3)]
    entries = run(MONO, request(*names))
    paths = sorted(path for path in entries if path.startswith(mono.BTLS))
    assert [entries[path].content for path in paths] == [each.pem for each in names]
    for removed, left in (({0}, [2, 1]), ({1}, [0, 2]), ({0, 1}, [2]), ({0, 2}, [1]), ({2}, [0, 1])):
        after = run(entries, RuntimeRequest(removed=frozenset(names[number].sha256 for number in removed)))
        btls = {path: after[path].content for path in after if path.startswith(mono.BTLS)}
        assert btls == {path: names[number].pem for path, number in zip(paths, left, strict=False)}, removed


def test_a_file_that_mono_does_not_find_is_not_relied_on():
    number = parse_certificate(OURS.der).subject.hash
    for name in ("ours.pem", f"{number}.1"):
        after = run(MONO | {f"{mono.BTLS}/{name}": File(OURS.pem)}, request(OURS))
        assert after[f"{mono.BTLS}/{number}.0"].content == OURS.pem
        assert run(after, request(OURS)) == after


def test_a_store_of_ten_thousand_files_takes_seconds():
    paths = [f"{directory}/{number:08x}.0" for directory in (mono.LEGACY, mono.BTLS) for number in range(10_000)]
    entries = MONO | dict.fromkeys(paths, File(OURS.pem))
    begin = time.process_time()
    after = run(entries, request(SAME_NAME, THEIRS))
    assert len(after) == len(entries) + 4
    assert run(after, RuntimeRequest(removed=frozenset({SAME_NAME.sha256, THEIRS.sha256}))) == entries
    assert time.process_time() - begin < 30


def test_unreadable_files_stay():
    entries = MONO | {f"{mono.LEGACY}/broken.cer": File(b"0\x82"), f"{mono.BTLS}/broken.0": File(b"text")}
    after = run(entries, request(OURS))
    assert entries.items() <= after.items()
