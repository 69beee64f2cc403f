"""Hostile certificate files: what ``--cert``, ``--chain`` and a source directory of a root filesystem may hold."""

from __future__ import annotations

import base64
import functools
import hashlib
from datetime import UTC, datetime
from random import Random

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from rootfs_trust.store.jks import keystore
from tests.hostile.corpus import certificate
from tests.hostile.mutations import BIDI, ESC, changed_der, damaged, element
from tests.support.authority import Authority, pkcs7_der, pkcs7_pem
from tests.unit.store.p11kit.sources import every_form
from tests.unit.x509 import building

Files = dict[str, bytes]


@functools.cache
def rich() -> Authority:
    """A CA with many extensions, so that there is much to change."""
    from cryptography import x509

    names = [x509.DNSName("example.com")]
    more = (x509.NameConstraints(names, None), x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]))
    return Authority("Rich CA", organization="Ö", names=("a.example",), more=more)


@functools.cache
def p11kit_files() -> Files:
    return every_form()


def pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    text = base64.encodebytes(der).replace(b"\n", b"")
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label.encode(), lines, label.encode())


@certificate(rounds=6)
def element_changed(random: Random) -> Files:
    """One element of a certificate replaced: in DER, in PEM, and in a TRUSTED CERTIFICATE."""
    der = changed_der(random, rich().der)
    return {
        "der.crt": der,
        "pem.pem": pem(changed_der(random, rich().der)),
        "t.crt": pem(der + b"\x30\x00", "TRUSTED CERTIFICATE"),
    }


@certificate(rounds=3)
def bytes_damaged(random: Random) -> Files:
    files = {"a.pem": rich().pem, "b.crt": rich().der, "c.p7b": pkcs7_der(rich()), "d.p7c": pkcs7_pem(rich(), rich())}
    return {name: damaged(random, content) for name, content in files.items()}


@certificate(rounds=3)
def pkcs7_changed(random: Random) -> Files:
    der = changed_der(random, pkcs7_der(rich(), rich()))
    return {"a.p7b": der, "b.p7b": pem(der, "PKCS7")}


@certificate(rounds=2)
def names_that_print_odd(random: Random) -> Files:
    """Control and bidirectional characters in every kind of string of a name."""
    text = random.choice(
        (ESC, BIDI, "\u2028\u2029", "\x9b1m\x85", "\ufeff\u200e", "a\r\nb\t", "\x00a", "<b>&\"'", "=1+1")
    )
    kinds = {
        0x0C: text.encode(),
        0x13: text.encode(),
        0x1E: text.encode("utf-16-be"),
        0x14: text.encode("latin-1", "replace"),
    }
    files = {}
    for number, (tag, value) in enumerate(kinds.items()):
        der = building.certificate(building.name(building.element(tag, value), building.element(tag, value * 40)))
        files[f"{number}.pem"] = pem(der)
    return files


@certificate()
def dates_at_both_ends(random: Random) -> Files:
    kinds = (0x17, 0x18)
    dates = (
        *(
            b"000101000000Z",
            b"991231235959Z",
            b"500101000000Z",
            b"491231235959Z",
            b"00000101000000Z",
            b"00010101000000Z",
        ),
        *(
            b"99991231235959Z",
            b"99850101000000Z",
            b"99991231235960Z",
            b"20200230000000Z",
            b"20201301000000Z",
            b"",
            b"Z",
        ),
        *(
            b"20200101000000+2359",
            b"00010101000000+2359",
            b"99991231235959-2359",
            b"99991231235959.999Z",
            b"2020010100Z",
        ),
    )
    files = {}
    for number in range(12):
        ends = (building.element(random.choice(kinds), random.choice(dates)) for _ in "ab")
        der = building.certificate(
            building.name(building.utf8(f"Date {number}")), validity=building.element(0x30, *ends)
        )
        files[f"{number}.pem"] = pem(der)
    files["late.pem"] = Authority(
        "Late", not_before=datetime(9985, 1, 1, tzinfo=UTC), not_after=datetime(9999, 12, 31, tzinfo=UTC)
    ).pem
    files["early.pem"] = Authority(
        "Early", not_before=datetime(1950, 1, 1, tzinfo=UTC), not_after=datetime(1951, 1, 1, tzinfo=UTC)
    ).pem
    return files


@certificate()
def huge_keys(random: Random) -> Files:
    files = {}
    algorithm = building.element(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    for bits in (16_384, 16_385, 1_000_000):
        number = (random.getrandbits(bits) | 1 << (bits - 1) | 1).to_bytes(bits // 8 + 1)
        for name, exponent in (("small", b"\x01\x00\x01"), ("large", number)):
            key = building.element(0x30, building.element(2, number), building.element(2, exponent))
            spki = building.element(0x30, algorithm, building.element(3, b"\0", key))
            files[f"{bits}-{name}.pem"] = pem(
                building.certificate(building.name(building.utf8(f"Key {bits}")), key=spki)
            )
    return files


@certificate()
def odd_keys(random: Random) -> Files:
    """Keys of unknown kinds, on no curve, of no size."""
    algorithms = (
        *(
            "06072a8648ce3d0201",
            "06072a8648ce3d020106032b0601",
            "06092a864886f70d0101010500",
            "06032b6570",
            "06032b6571",
        ),
        *("06072a8648ce38040130", "0609608648016503040311", "0605deadbeef00", "", "0500", "06072a8648ce3d02013000"),
    )
    files = {}
    for number, algorithm in enumerate(algorithms):
        for octets in (b"", b"\0", b"\x07\xff", b"\0" + random.randbytes(65), b"\0\x30\x06\x02\x01\x00\x02\x01\x00"):
            spki = building.element(0x30, building.element(0x30, bytes.fromhex(algorithm)), building.element(3, octets))
            der = building.certificate(building.name(building.utf8(f"Odd {number}")), key=spki)
            files[f"{number}-{len(octets)}.pem"] = pem(der)
    return files


@certificate()
def one_of_ten_megabytes(random: Random) -> Files:
    extension = building.extension("551d1f", b"\0" * 10_000_000)
    return {"large.pem": pem(building.certificate(building.name(building.utf8("Large")), extensions=(extension,)))}


@certificate()
def many_extensions(random: Random) -> Files:
    names = building.element(0x30, *(building.element(0x82, b"a.example") for _ in range(100_000)))
    extensions = tuple(building.extension("551d11", b"\x30\x00") for _ in range(20_000))
    parts = building.name(*(building.utf8("n") for _ in range(30_000)))
    return {
        "names.pem": pem(
            building.certificate(building.name(building.utf8("a")), extensions=(building.extension("551d11", names),))
        ),
        "extensions.pem": pem(building.certificate(building.name(building.utf8("b")), extensions=extensions)),
        "subject.pem": pem(building.certificate(parts)),
    }


@certificate()
def nested_deep(random: Random) -> Files:
    der = b""
    for _ in range(20_000):
        der = element(b"\x30", der)
    constraints = building.extension("551d1e", der)
    return {
        "deep.der": der,
        "deep.pem": pem(building.certificate(building.name(building.utf8("a")), extensions=(constraints,))),
    }


@certificate()
def thousands_with_one_subject_hash(random: Random) -> Files:
    name = building.name(building.utf8("Same"))
    ders = (
        building.certificate(name, serial=building.element(2, b"\1" + number.to_bytes(4))) for number in range(1500)
    )
    return {"many.pem": b"".join(map(pem, ders))}


@certificate()
def thousands_of_certificates(random: Random) -> Files:
    ders = (building.certificate(building.name(building.utf8(f"CA {number}"))) for number in range(2000))
    return {"many.pem": b"".join(map(pem, ders))}


@certificate()
def one_subject_and_crossed_signatures(random: Random) -> Files:
    """Every one may have issued every other: paths without number."""
    name = building.name(building.utf8("Server Root CA"))
    ders = [building.certificate(name, serial=building.element(2, bytes((1, number)))) for number in range(60)]
    return {"chain.pem": b"".join(map(pem, ders))}


@certificate(rounds=2)
def texts_around(random: Random) -> Files:
    """PEM with odd lines: no end, endless headers, NUL, CR, labels of megabytes."""
    lines = (
        *(
            b"-----BEGIN CERTIFICATE-----",
            b"-----END CERTIFICATE-----",
            b"-----BEGIN " + b"A" * 100_000 + b"-----",
            b"\0" * 1000,
        ),
        *(
            b"Proc-Type: 4,ENCRYPTED",
            b"-----BEGIN TRUSTED CERTIFICATE-----",
            b"A" * 1_000_000,
            b"\xef\xbb\xbf",
            b"-----",
            b"=" * 70,
        ),
        *(
            b"-----BEGIN X509 CRL-----",
            b"-----BEGIN PKCS7-----",
            b"Key: " * 10_000,
            b"\r",
            rich().pem.strip(),
            b"-" * 500_000,
        ),
    )
    return {f"{n}.pem": b"\n".join(random.choice(lines) for _ in range(random.randint(1, 30))) for n in range(3)}


@certificate()
def private_keys(random: Random) -> Files:
    """Of every kind: refused, and no part of one printed."""
    return {
        "pkcs8.pem": rich().pem + rich().key_pem,
        "pkcs8.der": rich().key_der,
        "putty.pem": b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAA\n",
        "age.pem": b"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n",
        "jwk.pem": b'{"kty":"EC","crv":"P-256","d":"AAAA","x":"AAAA","y":"AAAA"}',
        "p12.crt": rich().pkcs12,
        "openssh.crt": b"-----BEGIN OPENSSH PRIVATE" + b" KEY-----\nAAAA\n-----END OPENSSH PRIVATE" + b" KEY-----\n",
    }


@certificate()
def no_certificate_at_all(random: Random) -> Files:
    return {
        "empty.pem": b"",
        "zeros.crt": b"\0" * 100_000,
        "noise.cer": random.randbytes(5000),
        "utf16.pem": rich().pem.decode().encode("utf-16"),
        "page.pem": b"<html>login first</html>",
        "elf.der": b"\x7fELF" + random.randbytes(300),
        "gzip.crt": b"\x1f\x8b\x08\0" + random.randbytes(50),
        "crl.pem": pem(building.crl(building.name(building.utf8("x"))), "X509 CRL"),
    }


@certificate(rounds=3)
def p11kit_damaged(random: Random) -> Files:
    """Files of p11-kit and TRUSTED CERTIFICATEs with damage."""
    picked = random.sample(sorted(p11kit_files()), 8)
    return {name.replace("/", "-"): damaged(random, p11kit_files()[name]) for name in picked}


@certificate()
def p11kit_hostile(random: Random) -> Files:
    header, block = b"[p11-kit-object-v1]\n", rich().pem
    return {
        "many.p11-kit": (header + b"trusted: true\n") * 50_000,
        "attributes.p11-kit": header + b'label: "x"\n' * 100_000 + block,
        "label.p11-kit": header + b'trusted: true\nlabel: "%1b%5b31m%e2%80%ae%0a%00"\n' + block,
        "long.p11-kit": header + b"trusted: true\nlabel: " + b'"' + b"%41" * 1_000_000 + b'"\n' + block,
        "number.p11-kit": header + b"trusted: true\ncertificate-category: " + b"9" * 100_000 + b"\n" + block,
        "oid.p11-kit": header + b"object-id: 1.2." + b"1" * 50_000 + b"\n" + block,
        "oids.p11-kit": header + b"object-id: 1.2" + b".1" * 50_000 + b"\n" + block,
        "digits.p11-kit": header + "\xb2: \xb2\n".encode("latin-1") + block,
        "unnamed.p11-kit": header + b"99999999999999999999999: true\n: \n" + block,
        "value.p11-kit": header
        + b'class: certificate\ncertificate-type: x-509\nvalue: "%30%84%ff%ff%ff%ff"\ntrusted: true\n',
        "ends.p11-kit": header + b'trusted: true\nnss-server-distrust-after: "%1b999999999999Z"\n' + block,
        "trusted.pem": pem(
            rich().der + element(b"\x30", element(b"\x30", b"\x06\x01\x80" * 10_000)), "TRUSTED CERTIFICATE"
        ),
        "alias.pem": pem(rich().der + element(b"\x30", element(b"\x0c", ESC.encode() * 1000)), "TRUSTED CERTIFICATE"),
    }


@certificate(rounds=2)
def certdata(random: Random) -> Files:
    from tests.hostile.texts import certdata as text

    return {"certdata.txt": text(random), "certdata.pem": damaged(random, text(random))}


@certificate()
def names_in_every_encoding(random: Random) -> Files:
    """File names that cannot be an anchor's name."""
    names = (
        "a\nb.pem",
        "\x1b[31m.crt",
        "\udcff\udcfe.pem",
        "n" * 251 + ".pem",
        "\u202e.crt",
        "-rf.pem",
        "..pem",
        " .crt",
        "'\"$(id).pem",
    )
    return {name: Authority(f"Odd {number}").pem for number, name in enumerate(names)}


# -- keystores ---------------------------------------------------------------------------------------------


@functools.cache
def stores() -> Files:
    """A sane keystore of each kind of Java's."""
    jks = keystore([("one", rich().der), ("two", Authority("Second").der)], 1_700_000_000)
    encryption = BestAvailableEncryption(b"changeit")
    p12 = pkcs12.serialize_key_and_certificates(b"x", None, None, [rich().certificate], encryption)
    java = (
        pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(rich().certificate, b"one")], encryption)
        if hasattr(pkcs12, "serialize_java_truststore")
        else p12
    )
    return {"jks": jks, "jceks": _sealed(b"\xce\xce\xce\xce" + jks[4:-20]), "p12": p12, "java12": java}


def _sealed(body: bytes, password: str = "changeit") -> bytes:
    """With the digest at the end that Java expects of this password."""
    salt = password.encode("utf-16-be") + b"Mighty Aphrodite"
    return body + hashlib.sha1(salt + body).digest()


def hostile_store(random: Random) -> bytes:
    """A keystore that somebody else may have made."""
    kind = random.choice(sorted(stores()))
    data = stores()[kind]
    way = random.randrange(6)
    if kind in ("p12", "java12") and way < 3:
        return changed_der(random, data)
    if kind in ("p12", "java12") and way == 3:
        return _many_turns(random, data)
    if kind in ("jks", "jceks") and way < 3:
        return _sealed(damaged(random, data[:-20]))
    if kind in ("jks", "jceks") and way == 3:
        count = random.choice((0, 2**31, 2**32 - 1, 10**6)).to_bytes(4)
        return _sealed(data[:8] + count + data[12:-20])
    if way == 4:
        return b"\xfe\xed\xfe\xed\0\0\0\2" + (b"\0\0\0\1\0\0\0\2" * 1000)
    return damaged(random, data)


def _many_turns(random: Random, data: bytes) -> bytes:
    """Iterations without end for the password: the last INTEGER of the file is the MAC's."""
    turns = random.choice(
        (b"\x02\x04\x7f\xff\xff\xff", b"\x02\x05\x00\xff\xff\xff\xff", b"\x02\x01\x00", b"\x02\x01\xff")
    )
    at = data.rfind(b"\x02\x02\x08\x00")
    return data[:at] + turns + data[at + 4 :] if at > 0 else data


@certificate(rounds=2)
def keystores(random: Random) -> Files:
    return {"a.crt": hostile_store(random), "b.pem": hostile_store(random), "c.der": stores()["jks"]}
