"""Odd and hostile input in the forms that people hand over: it is read in linear time, or not taken for that form."""

from __future__ import annotations

import time

import pytest

from rootfs_trust.inputs.encodings import decoded
from rootfs_trust.inputs.kubernetes import kubernetes_kind, kubernetes_values

MEBIBYTE = 1 << 20
HEAD = b"apiVersion: v1\nkind: ConfigMap\ndata:\n"
HOSTILE = {
    "base64 with blanks and then something else": b"MI" + b"A" * 64 + b" " * MEBIBYTE + b"!",
    "a quoted scalar of blanks": HEAD + b'  a: "' + b" " * MEBIBYTE + b'x"\n',
    "blank lines": HEAD + b"  a: 'x\n" + b" \n" * MEBIBYTE + b"  y'\n",
    "many entries": HEAD + b"  a: b\n" * (MEBIBYTE // 8),
    "many sections": b"apiVersion: v1\nkind: ConfigMap\n" + b"data:\n" * (MEBIBYTE // 8),
    "deep JSON": b'{"apiVersion": "v1", "kind": ' + b"[" * MEBIBYTE,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_large_input_takes_linear_time(data):
    begin = time.process_time()
    decoded(data)
    if kubernetes_kind(data):
        kubernetes_values(data)
    assert time.process_time() - begin < 20


def test_a_manifest_inside_a_value_is_a_value():
    text = HEAD + b"  manifest.yaml: |\n    kind: Secret\n    data:\n      ca.crt: |\n        inner\n  ca.crt: outer\n"
    assert [key for key, _ in kubernetes_values(text)] == ["manifest.yaml", "ca.crt"]


def test_what_is_almost_base64_or_utf_16_stays_as_it_is():
    for data in (b"MIIB", b"MI" + b"!" * 99, b"hello", b"MIIB" * 20 + b"=====", b""):
        assert decoded(data) == data
