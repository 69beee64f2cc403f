"""Reading sources: the rules one by one. That they are the tool's is held in tests/peers/test_p11kit_extract.py."""

from __future__ import annotations

from itertools import combinations

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.p11kit import p11_kit_file, pem
from rootfs_trust.store.p11kit.entries import TokenEntry, name_texts
from rootfs_trust.store.p11kit.output_selection import Filter, is_authority, select, subject_label
from rootfs_trust.store.p11kit.parser import hash_order, murmur3, parse_file
from rootfs_trust.store.p11kit.token import SourceFile, files_of, token_of
from rootfs_trust.x509 import parse_certificate
from rootfs_trust.x509.oids import EMAIL, SERVER_AUTH
from tests.support.memory import File, MemoryTree, Symlink
from tests.unit.store.p11kit.sources import Root, every_form, stapled, stapled_usages
from tests.unit.store.p11kit.sources import persist as an_object
from tests.unit.x509.building import element, name

ROOT = Root("A Root")


def entries(data: bytes, place: str = "") -> list[TokenEntry]:
    return [each for each in parse_file("/f", data, place) if isinstance(each, TokenEntry)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 0x087FCD5C),
        ("1", 0x909969EB),
        ("1.", 0x642485B1),
        ("1.2", 0xCFE9BBE2),
        ("1.2.", 0xBB8231C2),
        ("1.2.3", 0x1996292E),
        (SERVER_AUTH, 0x235FEA47),
        (f"{SERVER_AUTH}7", 0x98AD6792),
    ],
)
def test_the_hash_is_murmur3(text: str, value: int) -> None:
    """Of texts of less than four octets it is MurmurHash3_x86_32 under the seed 42.

    The other values were made from those of mmh3: its last step undone, the length exchanged for the tail's.
    """
    assert murmur3(text.encode()) == value


def test_the_order_of_a_table_that_has_grown() -> None:
    """Nine buckets hold nine texts; the tenth makes them nineteen, each filled from its front."""
    texts = [f"1.2.{number}" for number in range(10)]
    nine = sorted(texts[:9], key=lambda text: murmur3(text.encode()) % 9)
    assert hash_order(texts[:9]) == nine
    others = [text for text in nine if murmur3(text.encode()) % 19 != murmur3(texts[9].encode()) % 19]
    grown = hash_order(texts)
    assert [murmur3(text.encode()) % 19 for text in grown] == sorted(murmur3(text.encode()) % 19 for text in texts)
    for first, second in combinations(others, 2):
        if murmur3(first.encode()) % 19 == murmur3(second.encode()) % 19:
            assert grown.index(second) < grown.index(first)


def test_a_table_grows_beyond_its_buckets_and_keeps_each_text_once() -> None:
    texts = [f"1.2.{number}" for number in range(40)]
    assert sorted(hash_order(texts + texts)) == sorted(texts)
    assert hash_order(texts) != texts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"-----BEGIN X-----\nQUJD\n-----END X-----\n", [("X", b"ABC")]),
        (b"text -----BEGIN X-----QUJD-----END X----- more", [("X", b"ABC")]),
        (b"-----BEGIN X-----\na: b\n\nQUJD\n-----END X-----", [("X", b"ABC")]),
        (b"-----BEGIN X-----\nQ*JD\n-----END X-----\n-----BEGIN Y-----\nQUJD\n-----END Y-----", [("Y", b"ABC")]),
        (b"-----BEGIN X-----\nQUJD\n-----END Y-----\n-----BEGIN Y-----\nQUJD\n-----END Y-----", []),
        (b"-----BEGIN X\n-----\nQUJD\n-----END X-----", []),
        (b"-----BEGIN X-----\nQUJD\n", []),
        (b"-----BEGIN X----------END X-----", []),
        (b"-----BEGIN X-----\nQUI=\n#-----END X-----", [("X", b"AB")]),
        (b"-----BEGIN X-----\nQUI\n-----END X-----", []),
        (b"\0-----BEGIN X-----\nQUJD\n-----END X-----", []),
    ],
)
def test_pem(text: bytes, found: list[tuple[str, bytes]]) -> None:
    assert list(pem.blocks(text)) == found


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('label: "a%20b%c3%bc"', b"a b\xc3\xbc"),
        ("label:true", b"\1"),
        ("label :  false ", b"\0"),
        ("label: 17", b"\x11\0\0\0\0\0\0\0"),
        ("label: +017", b"\x11\0\0\0\0\0\0\0"),
        ("label: -1", b"\xff" * 8),
        ("label: -0", bytes(8)),
        ("label: " + "9" * 5000, b"\xff" * 8),
        ("label: -" + "9" * 5000, b"\xff" * 8),
        ("label: certificate", b"\1\0\0\0\0\0\0\0"),
        ("label:", bytes(8)),
        ("label: 2.5.29.37", b"\x06\x03\x55\x1d\x25"),
        ("label: 2.5.029.37", b"\x06\x03\x55\x1d\x25"),
        ("label: 2.5." + "9" * 5000, b"\x06\x0a\x55" + b"\xff" * 8 + b"\x7f"),
        ('3: "by number"', b"by number"),
        ('+03: "by number"', b"by number"),
    ],
)
def test_values(line: str, value: object) -> None:
    assert p11_kit_file.objects(an_object(line)) == [{"label": value}]


def test_a_huge_number_of_an_object_identifier_counts_as_the_largest_of_64_bits() -> None:
    """Python refuses to convert more than 4,300 digits."""
    (huge,) = p11_kit_file.objects(an_object(f"label: 1.2.{'7' * 50_000}"))
    (largest,) = p11_kit_file.objects(an_object("label: 1.2.777777777777777777777"))
    assert huge == largest


@pytest.mark.parametrize(
    "text",
    [
        b"label: true\n[p11-kit-object-v1]\n",
        an_object("no colon"),
        an_object("unheard-of: true"),
        an_object("label: maybe"),
        an_object('label: "'),
        an_object('label: "%4"'),
        an_object('label: "%zz"'),
        an_object("label: 1.2.840.1"),
        an_object("label: 3.2.1"),
        an_object("label: 1.40.1"),
        an_object("label: +"),
        an_object("[no bracket"),
        an_object(block=b"x", label="TRUSTED CERTIFICATE"),
        b"[p11-kit-object-v1]\n-----BEGIN CERTIFICATE-----\n",
        b"[p11-kit-object-v1]\n-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_file_that_is_not_understood_is_none(text: bytes) -> None:
    with pytest.raises(MalformedError):
        p11_kit_file.objects(text)


def test_other_sections_and_comments_are_skipped() -> None:
    text = b"# c\n[other]\nlabel: maybe\n" + an_object("trusted: true") + b"[other]\nx\n"[:8]
    assert p11_kit_file.objects(text) == [{"trusted": b"\1"}]


def test_attributes_win_over_a_block() -> None:
    text = an_object("class: 0", block=ROOT.der)
    assert p11_kit_file.objects(text)[0]["class"] == bytes(8)


@pytest.mark.parametrize("name", ["9" * 5000, "-1"])
def test_an_attribute_without_a_valid_number_is_ignored(name: str) -> None:
    assert p11_kit_file.objects(an_object(f"{name}: true", "trusted: true")) == [{"trusted": b"\1"}]


def test_digits_of_other_scripts_are_not_a_number() -> None:
    for line in ("\xb2: true", "label: \xb2"):
        with pytest.raises(MalformedError):
            p11_kit_file.objects(f"[p11-kit-object-v1]\n{line}\n".encode("latin-1"))


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("class: true", False),
        ("certificate-type: false", False),
        ('class: "%01%00%00%00%00%00%00%00"', True),
        ("token: 0", True),
        ('token: "%02"', False),
        ("token: false", False),
    ],
)
def test_a_value_counts_by_its_length(line: str, counted: bool) -> None:
    """A boolean is not a number: p11-kit refuses such an object, and ignores the rest of the file."""
    found = entries(an_object("trusted: true", line, block=ROOT.der))
    assert [each.trusted for each in found] == [True] * counted


@pytest.mark.parametrize("line", ["trusted: 1", "trusted: 1.2.840", 'trusted: ""'])
def test_what_is_not_a_boolean_does_not_trust(line: str) -> None:
    assert [each.trusted for each in entries(an_object(line, block=ROOT.der))] == [False]


@pytest.mark.parametrize(("value", "chosen"), [("true", 0), ('"%01"', 0), ('"1"', 1)])
def test_another_byte_distrusts_only_its_own_object(value: str, chosen: int) -> None:
    """blocklist_load searches for the byte 1; check_trust_flags takes any byte but zero."""
    files = [
        SourceFile("/a", an_object(f"x-distrusted: {value}", block=ROOT.der), ""),
        SourceFile("/b", ROOT.pem, "anchors"),
    ]
    assert len(select([token_of([each]) for each in files], Filter.ANCHORS)) == chosen


def test_an_empty_issuer_matches_nothing() -> None:
    [entry] = entries(an_object('issuer: ""', "trusted: true", block=ROOT.der))
    assert entry.issuer == b""


def test_a_broken_persist_file_is_read_as_pem() -> None:
    assert [each.trusted for each in entries(an_object("trusted: maybe", block=ROOT.der), "anchors")] == [True]


def test_directories_decide_on_trust() -> None:
    assert [(each.trusted, each.distrusted) for each in entries(ROOT.pem)] == [(False, False)]
    assert [(each.trusted, each.distrusted) for each in entries(ROOT.pem, "anchors")] == [(True, False)]
    assert [(each.trusted, each.distrusted) for each in entries(ROOT.pem, "blocklist")] == [(False, True)]


def test_what_is_distrusted_by_word_stays_so_among_anchors() -> None:
    data = an_object("x-distrusted: true", block=ROOT.der)
    assert [(each.trusted, each.distrusted) for each in entries(data, "anchors")] == [(False, True)]


def test_every_trait_of_an_entry() -> None:
    data = an_object(
        "trusted: true",
        'x-distrusted: "%01"',
        'label: "L"',
        "nss-mozilla-ca-policy: true",
        'nss-server-distrust-after: "240630235959Z"',
        "certificate-category: other-entry",
        block=ROOT.der,
    )
    (entry,) = entries(data)
    assert (entry.label, entry.trusted, entry.distrusted, entry.category, entry.mozilla) == (b"L", True, True, 3, True)
    assert entry.server_distrust_after == b"240630235959Z"
    assert (entry.key, entry.serial) == (ROOT.key_der, ROOT.serial)


@pytest.mark.parametrize(
    "second",
    [
        an_object("trusted: true"),
        an_object("class: certificate", "certificate-type: wtls"),
        an_object("token: false", block=ROOT.der),
        an_object("class: x-certificate-extension", 'value: "x"'),
        an_object("class: 4711"),
        an_object(":", block=ROOT.der),
        an_object("owner: true", block=ROOT.der),
    ],
)
def test_the_module_stops_with_a_file_at_an_object_it_does_not_accept(second: bytes) -> None:
    first, third = an_object(block=Root("1").der), an_object(block=Root("3").der)
    assert len(entries(first + second + third)) == 1


def test_other_classes_are_skipped() -> None:
    others = an_object("class: data", 'application: "x"') + an_object("class: nss-trust")
    assert len(entries(others + an_object(block=ROOT.der))) == 1


def test_files_in_byte_order_own_first(tmp_path) -> None:
    names = ("anchors/b", "anchors/Z", "anchors/.a", "blocklist/x", "blacklist/y", "q", "anchors/folder/no")
    tree = MemoryTree({f"/t/{name}": File(name.encode()) for name in names} | {"/t/link": Symlink("nowhere")})
    assert [file.data.decode() for file in files_of(tree, "/t")] == [
        "q",
        "anchors/.a",
        "anchors/Z",
        "anchors/b",
        "blocklist/x",
        "blacklist/y",
    ]
    assert [file.place for file in files_of(tree, "/t/q")] == ["anchors"]
    assert files_of(tree, "/nothing") == []


def one(data: bytes, wanted: Filter = Filter.ANCHORS, purpose: str = SERVER_AUTH) -> list[bytes]:
    token = token_of([SourceFile("/f", data, "anchors")])
    return [each.label for each in select([token], wanted, purpose)]


def test_stapled_purposes_go_before_the_certificates_own() -> None:
    root = Root("R", usages=(EMAIL,))
    assert one(root.pem) == []
    assert one(an_object(block=root.der) + stapled_usages(root, SERVER_AUTH)) == [b"R"]
    assert one(an_object(block=root.der) + stapled_usages(root, SERVER_AUTH), purpose=EMAIL) == []


def test_a_broken_stapled_extension_keeps_the_certificate_out() -> None:
    broken = an_object("class: x-certificate-extension", 'value: "x"', block=ROOT.key_der, label="PUBLIC KEY")
    assert one(an_object(block=ROOT.der) + broken) == []
    assert one(an_object(block=ROOT.der) + stapled(ROOT, "2.5.29.37", b"no list")) == []


@pytest.mark.parametrize("ca", [True, False, None])
def test_who_is_an_authority(ca: bool | None) -> None:
    token = token_of([SourceFile("/f", Root("R", ca=ca).pem, "anchors")])
    assert is_authority(token, token.entries[0]) is (ca is True)


@pytest.mark.parametrize(
    ("category", "value", "ca"), [("authority", "3000", False), ("other-entry", "30030101ff", True)]
)
def test_attached_constraints_come_before_the_category_of_an_entry(category: str, value: str, ca: bool) -> None:
    said = an_object("trusted: true", f"certificate-category: {category}", block=ROOT.der)
    token = token_of([SourceFile("/f", said + stapled(ROOT, "2.5.29.19", bytes.fromhex(value)), "")])
    assert is_authority(token, token.entries[0]) is ca
    alone = token_of([SourceFile("/f", said, "")])
    assert is_authority(alone, alone.entries[0]) is not ca


def test_attached_constraints_that_are_broken_make_no_authority() -> None:
    """p11-kit then takes another copy of the certificate, in another token."""
    said = an_object("trusted: true", "certificate-category: authority", block=ROOT.der)
    lines = ("class: x-certificate-extension", "object-id: 2.5.29.19", 'value: "x"')
    broken = an_object(*lines, block=ROOT.key_der, label="PUBLIC KEY")
    tokens = [token_of([SourceFile("/f", data, "")]) for data in (said + broken, said)]
    assert not is_authority(tokens[0], tokens[0].entries[0])
    assert [each.certificate.der for each in select(tokens, Filter.ANCHORS)] == [ROOT.der]
    assert select(tokens[:1], Filter.ANCHORS) == []


def test_labels() -> None:
    certificate = parse_certificate(Root("First", "Last").der)
    assert subject_label(certificate) == b"First"
    assert subject_label(certificate, last_name=True) == b"Last"
    assert subject_label(parse_certificate(Root().der)) == b""


def test_every_form_is_read_without_a_warning() -> None:
    for file, data in every_form().items():
        for place in ("", "anchors", "blocklist"):
            parse_file(f"/t/{file}", data, place)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (element(0x0C, "Zoë".encode()), "Zoë".encode()),
        (element(0x14, "Zoë".encode()), "Zoë".encode()),
        (element(0x1E, "Zoë".encode("utf-16-be")), "Zoë".encode()),
        (element(0x1C, "Zoë".encode("utf-32-be")), "Zoë".encode()),
        (element(0x1E, "\U0001f511".encode("utf-16-be")), b"\xed\xa0\xbd\xed\xb4\x91"),
        (element(0x0C, b"a\0b"), b"a"),
        (element(0x14, b"Zo\xeb"), None),
        (element(0x12, b"1 2"), b"1 2"),
        (element(0x03, b"\0x"), None),
    ],
)
def test_labels_of_every_type_of_text(value: bytes, label: bytes | None) -> None:
    """p11-kit takes byte strings for UTF-8, and writes each half of a surrogate pair for itself (trust/utf8.c)."""
    assert list(name_texts(name(value), "2.5.4.3")) == [label]
