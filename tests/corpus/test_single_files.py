"""Every file of the corpus gets the answers of the real OpenSSL, save the exceptions that are named here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rootfs_trust.errors import MalformedError
from rootfs_trust.store import hash_links
from rootfs_trust.x509 import Certificate, CertificateList, blocks, parse_certificate, parse_crl, read_objects

from .conftest import Corpus

PKCS12 = "`openssl x509` opens PKCS #12 with an empty password; here a container is opened by `install` alone"
READER = "`openssl x509` reads lines from memory, where a NUL does not end the file; rehash and lookup read as we do"
BOTH = "defect: rehash loses the CRL that stands beside a certificate; both get their link here"
SPLITTER = "END glued to BEGIN: the corpus cut the blocks apart itself, and no OpenSSL finds two in the file"

# Path, question: reason. Each must still be a disagreement, or this test fails.
EXCEPTIONS = {
    ("files/cryptography-vectors/name-all-no-pwd.p12", "x509"): PKCS12,
    ("files/cryptography-vectors/name-all-no-pwd.p12", "x509_inform_der"): PKCS12,
    ("files/synthetic-container/p12_nopw.p12", "x509"): PKCS12,
    ("files/synthetic-container/p12_nopw.p12", "x509_inform_der"): PKCS12,
    ("files/synthetic-pemform/pem_nul_line.pem", "x509_inform_pem"): READER,
    ("files/synthetic-pemform/pem_cert_crl.pem", "rehash"): BOTH,
    ("files/synthetic-pemform/pem_cert_key_crl.pem", "rehash"): BOTH,
    ("files/synthetic-pemform/pem_noblank_between.pem", "blocks"): SPLITTER,
}

REFUSED = "refused"
ASKED = ("subject_hash", "subject_hash_old", "issuer_hash", "issuer_hash_old", "sha256", "serial")
# The corpus kept the first line of each serial, and OpenSSL breaks lines after 35 octets.
SERIAL_LINE = 70


def test_every_file_has_the_answers_of_openssl(corpus: Corpus, capsys) -> None:
    wrong: dict[tuple[str, str], str] = {}
    questions = 0
    for record in corpus.records:
        for question, ours, golden in compared(record, corpus.data(record["path"])):
            questions += 1
            if ours != golden:
                wrong[record["path"], question] = f"{ours} instead of {golden}"
    records = len(corpus.records)
    with capsys.disabled():
        agreeing = records - len({path for path, _ in wrong})
        print(f"\ncorpus: {agreeing} of {records} files agree in all of {questions} answers")
    assert records > 1000
    assert {key: text for key, text in wrong.items() if key not in EXCEPTIONS} == {}
    assert set(EXCEPTIONS) <= set(wrong)


def compared(record: dict[str, Any], data: bytes) -> Iterator[tuple[str, Any, Any]]:
    """Each question that the corpus answers for a file, with our answer and OpenSSL's."""
    golden = certificate_answer(record["x509"])
    pem, der = first_certificate(data), der_certificate(data)
    yield "x509", pem if pem != REFUSED else der, golden
    for question, ours in (("x509_inform_pem", pem), ("x509_inform_der", der)):
        if question in record:
            said = record[question]
            yield question, ours, golden if said == "same" else certificate_answer(said)
    if "crl" in record:
        yield "crl", first_crl(data), REFUSED if REFUSED in record["crl"] else record["crl"]
    entry = hash_links.read_entry("f.pem", data)
    yield "rehash", sorted(hash_links.links([entry], ("new", "old"))), sorted(record["rehash"]["links"])
    if "blocks" in record:
        yield "blocks", block_answers(data), [block[:2] if REFUSED in block else block for block in record["blocks"]]


def certificate_answer(said: Any) -> Any:
    return REFUSED if REFUSED in said else {key: said[key] for key in ASKED}


def described(certificate: Certificate) -> dict[str, str]:
    digits = f"{abs(certificate.serial):X}"
    serial = ("-" if certificate.serial < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)
    return {
        "subject_hash": certificate.subject.hash,
        "subject_hash_old": certificate.subject.hash_old,
        "issuer_hash": certificate.issuer.hash,
        "issuer_hash_old": certificate.issuer.hash_old,
        "sha256": certificate.sha256,
        "serial": serial if len(serial) <= SERIAL_LINE else serial[:SERIAL_LINE] + "\\",
    }


def first_certificate(data: bytes) -> Any:
    """`openssl x509` passes over bad blocks and takes the first good one."""
    found = read_objects(data).certificates
    return described(found[0][1]) if found else REFUSED


def der_certificate(data: bytes) -> Any:
    try:
        return described(parse_certificate(data, trailing=True))
    except MalformedError:
        return REFUSED


def first_crl(data: bytes) -> Any:
    found = [crl for _, crl in read_objects(data).crls]
    try:
        crl = found[0] if found else parse_crl(data, trailing=True)
    except MalformedError:
        return REFUSED
    return {"issuer_hash": crl.issuer.hash, "issuer_hash_old": crl.issuer.hash_old, "sha256": crl.sha256}


def block_answers(data: bytes) -> list[list[str]]:
    """Label, hash and fingerprint of each certificate and CRL, in the order of the file."""
    objects = read_objects(data)
    found: list[tuple[int, Certificate | CertificateList]] = [*objects.certificates, *objects.crls]
    labels = {block.line: block.label for block in blocks(data)}
    answers = {line: [labels[line], name_of(thing).hash, thing.sha256] for line, thing in found}
    answers |= {bad.line: [bad.label, REFUSED] for bad in objects.bad if "PRIVATE KEY" not in bad.label}
    return [answer for _, answer in sorted(answers.items())]


def name_of(thing: Certificate | CertificateList) -> Any:
    return thing.subject if isinstance(thing, Certificate) else thing.issuer
