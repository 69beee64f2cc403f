"""PEM as clients read it. The answers for Go are those of Go 1.26.8's encoding/pem."""

from __future__ import annotations

from time import process_time

import pytest

from rootfs_trust.clients.pem_readers import gnutls_sections, go_certificates, rust_sections
from tests.support.authority import Authority

CA = Authority("A CA")
BEGIN, END = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"
BODY = CA.pem.removeprefix(BEGIN).removesuffix(END)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (CA.pem, 1),
        (CA.pem.rstrip(), 1),
        (CA.pem * 2, 2),
        (CA.pem.replace(b"\n", b"\r\n"), 1),
        (b"text\n" + CA.pem, 1),
        (b"text" + CA.pem, 0),
        (BEGIN + CA.pem, 1),
        (b"-----BEGIN X-----\n" + CA.pem, 1),
        (b"-----BEGIN X-----\n-----END Y-----\n" + CA.pem, 1),
        (END + CA.pem, 1),
        (BEGIN + b"A: b\n\n" + BODY + END, 0),
        (BEGIN + b"A: b\n" + BODY + END + CA.pem, 1),
        (BEGIN + b"A: b\n" + END + CA.pem, 1),
        (BEGIN + b"A: b\n" + b"-----END X-----\nB: c\nC: d\n" + CA.pem, 1),
        (BEGIN + BODY + b"-----END CERTIFICATE----- \t\r\n", 1),
        (BEGIN + BODY + b"-----END CERTIFICATE-----x\n", 0),
        (BEGIN + BODY + b"-----END X-----\n", 0),
        (BEGIN + BODY + b"\v" + END, 0),
        (BEGIN + END + CA.pem, 1),
    ],
)
def test_go_reads_from_an_end_line_back_to_the_last_begin(data: bytes, found: int) -> None:
    assert [each.sha256 for each in go_certificates(data)] == [CA.sha256] * found


LINES = {
    "begin": BEGIN,
    "end": END,
    "headers": BEGIN + b"A: b\n",
    "other": b"-----BEGIN X-----\n",
    "empty": BEGIN + END,
    "x509": b"-----BEGIN X509 CERTIFICATE-----\n-----END X509 CERTIFICATE-----\n",
}


@pytest.mark.parametrize("reader", [go_certificates, gnutls_sections, rust_sections])
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_every_reader_takes_linear_time(reader, line: bytes) -> None:
    data = line * (3_000_000 // len(line)) + END
    start = process_time()
    assert [each for each in reader(data) if not getattr(each, "fault", "") and getattr(each, "sha256", "")] == []
    assert process_time() - start < 10
