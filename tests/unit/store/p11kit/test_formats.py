"""The formats of `trust extract`, one by one; tests/peers/test_p11kit_extract.py holds that they are the tool's."""

from __future__ import annotations

import struct

import pytest

from rootfs_trust.rootfs.view import Absent
from rootfs_trust.store.jks import keystore, read_keystore
from rootfs_trust.store.p11kit import formats
from rootfs_trust.store.p11kit.entries import OPENSSL_REJECT
from rootfs_trust.store.p11kit.formats import file_stem, hash_directory
from rootfs_trust.store.p11kit.output_selection import Chosen
from rootfs_trust.store.p11kit.outputs import Mirror, has_hash_links, mirror_nodes
from rootfs_trust.x509 import blocks, encode, parse_certificate, read_objects
from rootfs_trust.x509.der import OCTET_STRING, UTF8_STRING, DerReader
from rootfs_trust.x509.oids import EXTENDED_KEY_USAGE, SERVER_AUTH, SUBJECT_KEY_ID, encode_usages
from tests.support.memory import File, MemoryTree, Symlink
from tests.unit.store.p11kit.sources import EMAIL, Root
from tests.unit.x509.building import element

ONE, TWO = (parse_certificate(Root(name).der) for name in ("One", "Two"))


def chosen(
    label: bytes = b"A", certificate=ONE, *, trusted: bool = True, distrusted: bool = False, **stapled: bytes
) -> Chosen:
    return Chosen(certificate, label, trusted, distrusted, stapled, "/f")


def settings(each: Chosen) -> bytes:
    (block,) = blocks(formats.trusted_pem_of(each))
    assert block.label == "TRUSTED CERTIFICATE"
    assert block.der.startswith(each.certificate.der)
    return block.der[len(each.certificate.der) :]


def label(text: bytes) -> bytes:
    return element(UTF8_STRING, text)


REJECTED = bytes((0xA0,))


@pytest.mark.parametrize(
    ("each", "contents"),
    [
        (chosen(), label(b"A")),
        (chosen(b""), b""),
        (chosen(trusted=False), element(0x30) + label(b"A")),
        (chosen(**{EXTENDED_KEY_USAGE: encode_usages((SERVER_AUTH,))}), encode_usages((SERVER_AUTH,)) + label(b"A")),
        (
            chosen(**{EXTENDED_KEY_USAGE: encode_usages((SERVER_AUTH,)), OPENSSL_REJECT: encode_usages((EMAIL,))}),
            encode_usages((SERVER_AUTH,)) + REJECTED + encode_usages((EMAIL,))[1:] + label(b"A"),
        ),
        (chosen(**{SUBJECT_KEY_ID: b"key"}), label(b"A") + element(OCTET_STRING, b"key")),
        (chosen(b"", **{SUBJECT_KEY_ID: b""}), element(OCTET_STRING)),
        (chosen(**{EXTENDED_KEY_USAGE: b"junk"}), label(b"A")),
    ],
)
def test_openssls_settings_behind_a_certificate(each: Chosen, contents: bytes) -> None:
    assert settings(each) == element(0x30, contents)
    assert read_objects(formats.trusted_pem_of(each)).spoilt == ()


def test_what_is_distrusted_is_rejected_for_every_known_purpose() -> None:
    reader = DerReader(settings(chosen(distrusted=True, **{OPENSSL_REJECT: encode_usages(("1.2.3",))}))).enter()
    rejected = reader.enter(0x80)
    found = [rejected.oid() for _ in iter(rejected.more, False)]
    assert len(found) > 5
    assert found[0] == b"\x2a\3"
    assert reader.value(UTF8_STRING) == b"A"


def test_bundles_with_and_without_comments() -> None:
    both = [chosen(b"A\r\nB", ONE), chosen(b"", TWO)]
    plain = [encode(ONE.der), encode(TWO.der)]
    assert formats.pem_bundle(both) == b"".join(plain)
    assert formats.pem_bundle(both, comment=True) == b"# A  B\n" + plain[0] + b"\n# certificate\n" + plain[1]
    assert formats.openssl_bundle(both) == b"".join(map(formats.trusted_pem_of, both))
    assert formats.openssl_bundle([], comment=True) == b""


def test_a_signature_list_of_uefi() -> None:
    data = formats.edk2_cacerts([chosen(), chosen(certificate=TWO)])
    first = 28 + 16 + len(ONE.der)
    assert struct.unpack_from("<3I", data, 16) == (first, 0, 16 + len(ONE.der))
    assert data[44:first] == ONE.der
    assert data[:16] == data[first : first + 16]
    assert len(data) == first + 44 + len(TWO.der)


def test_aliases_of_java() -> None:
    labels = (b"My CA", b"my\tca", b"MYCA", b"", b"", b"\xc3\xa9a\x7f\x80", b"x")
    aliases = list(formats.java_aliases(chosen(each) for each in labels))
    assert aliases == ["myca", "myca-1", "myca-2", "unlabeled", "unlabeled-1", "a\x7f", "x"]
    data = keystore(formats.java_cacerts([chosen(b"B C"), chosen(b"d", TWO)]), 7)
    assert [(each.alias, each.der, each.created_ms) for each in read_keystore(data)] == [
        ("bc", ONE.der, 7000),
        ("d", TWO.der, 7000),
    ]


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        (b"My CA (1), Root/x", "My_CA__1___Root_x"),
        (b"", "certificate"),
        (b"\0x", "certificate"),
        (b"a\0b", "a"),
        (b"\xc3\xa9.-_", "__.-_"),
        (b"a" * 300, "a" * 235),
    ],
)
def test_the_file_of_a_label(text: bytes, stem: str) -> None:
    assert file_stem(chosen(text)) == stem


def test_names_and_hashes_that_meet_are_numbered() -> None:
    same = [parse_certificate(Root("Same").der) for _ in range(3)]
    made = hash_directory((chosen(b"L", each) for each in same), formats.pem_of)
    assert made.files == dict(zip(("L.pem", "L.1.pem", "L.2.pem"), (encode(each.der) for each in same), strict=True))
    digits, old = same[0].subject.hash, same[0].subject.hash_old
    assert list(made.links.items()) == [
        (f"{form}.{number}", name)
        for number, name in enumerate(("L.pem", "L.1.pem", "L.2.pem"))
        for form in (digits, old)
    ]


def test_a_mirror_repeats_the_links_the_higher_numbers_first() -> None:
    same = [parse_certificate(Root("Same").der) for _ in range(2)]
    made = hash_directory((chosen(b"L", each) for each in same), formats.pem_of)
    digits, old = sorted((same[0].subject.hash, same[0].subject.hash_old))
    view = MemoryTree({"/m/gone.0": Symlink("../h/x.pem"), "/m/other": Symlink("elsewhere"), "/m/file": File(b"")})
    links = [
        (f"/m/{each}.{n}", Symlink(f"../h/{name}"))
        for each in (digits, old)
        for n, name in ((1, "L.1.pem"), (0, "L.pem"))
    ]
    nodes = mirror_nodes(view, Mirror(path="/m", prefix="../h/"), made)
    assert list(nodes.items()) == [*links, ("/m/gone.0", Absent())]
    files = [(f"/m/{name}", Symlink(f"../h/{name}")) for name in ("L.pem", "L.1.pem")]
    assert list(mirror_nodes(view, Mirror(path="/m", prefix="../h/", files=True), made).items())[:6] == [*files, *links]


def test_a_mirror_as_it_is_found() -> None:
    made = hash_directory([chosen()], formats.pem_of)
    mirror = Mirror(path="/m", prefix="../../h/", as_found=True)
    for text, found in (("/etc/h/A.pem", "/etc/h/"), ("../../h/A.pem", "../../h/"), ("A.pem", ""), ("/x/A.pem", "")):
        view = MemoryTree({"/m/0123abcd.0": Symlink(text), "/m/0123abcd.1": File(b""), "/m/x": Symlink("/etc/h/A.pem")})
        assert has_hash_links(view, mirror) == bool(found)
        nodes = mirror_nodes(view, mirror, made)
        assert {node.points_to for node in nodes.values() if isinstance(node, Symlink)} == (
            {f"{found}A.pem"} if found else set()
        )
