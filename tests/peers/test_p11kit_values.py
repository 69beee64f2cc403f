"""Attribute values of any kind in ``.p11-kit`` files, compared with the real ``trust extract``.

Each file is a separate token, so that readdir has nothing to order.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.store.p11kit import formats, pem
from rootfs_trust.store.p11kit.output_selection import Filter, select
from rootfs_trust.store.p11kit.token import files_of, token_of
from rootfs_trust.x509.oids import SERVER_AUTH
from tests.unit.store.p11kit.peer import TrustTool
from tests.unit.store.p11kit.sources import Root, persist, stapled

VALUES = (
    *("", "true", "false", "0", "1", "2", "+2", "-1", "-0", "002", "9" * 30, "-" + "9" * 30, "\xb2", "certificate"),
    *('""', '"a"', '"%00"', '"%01"', '"%02"', '"%01%00%00%00%00%00%00%00"', '"%02%00%00%00%00%00%00%00"'),
    *("1.2.3", "2.5.29.19", "2.5.029.37", "3.1.1", "1.40.1", "2.45.1", "1.2." + "9" * 30, "x-509"),
)
NAMES = (
    *("class", "certificate-type", "certificate-category", "token", "trusted", "x-distrusted", "label", "issuer"),
    *("serial-number", "public-key-info", "nss-mozilla-ca-policy", "nss-server-distrust-after", "url", "object-id"),
    *("", "+134", "-0", "\xb2", "3460518772"),
)


@pytest.mark.parametrize("place", ["", "anchors"])
def test_any_attribute_with_any_value(place: str, tmp_path: Path) -> None:
    files = {f"{name}: {value}": _file(f"{name}: {value}") for name in NAMES for value in VALUES}
    for number, data in enumerate(files.values()):
        file = tmp_path / str(number) / place / "a.p11-kit"
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
    tool = TrustTool(tmp_path / str(number) for number in range(len(files)))
    with RootDirectory(str(tmp_path)) as view:
        tokens = [token_of(files_of(view, f"/{number}")) for number in range(len(files))]
    for form, wanted, purpose, write in (
        ("openssl-bundle", Filter.CERTIFICATES, "", formats.openssl_bundle),
        ("pem-bundle", Filter.ANCHORS, SERVER_AUTH, formats.pem_bundle),
    ):
        options = [f"--purpose={purpose}"] if purpose else []
        tool.extract(f"--format={form}", f"--filter={wanted}", *options, str(tmp_path / form))
        real = [each for _, each in pem.blocks((tmp_path / form).read_bytes())]
        assert [each for _, each in pem.blocks(write(select(tokens, wanted, purpose)))] == real


@pytest.mark.parametrize("value", ["true", '"%01"', '"1"', "1", '""', "false"])
def test_another_copy_of_a_distrusted_certificate(value: str, tmp_path: Path) -> None:
    root, distrust = Root("Copied"), f"x-distrusted: {value}"
    _assert_same_anchors(tmp_path, persist(distrust, block=root.der), persist("trusted: true", block=root.der))


BROKEN = ("class: x-certificate-extension", 'value: "x"')
CONSTRAINTS = "object-id: 2.5.29.19"


@pytest.mark.parametrize("category", ["certificate-category: authority", "certificate-category: other-entry", ""])
@pytest.mark.parametrize("extension", [BROKEN, (*BROKEN, CONSTRAINTS), (*BROKEN, "object-id: 2.5.29.37")])
@pytest.mark.parametrize("valid", [False, True])
def test_another_copy_of_a_certificate_with_a_broken_extension(
    category: str, extension: tuple[str, ...], valid: bool, tmp_path: Path
) -> None:
    root = Root("Copied")
    broken = persist(*extension, block=root.key_der, label="PUBLIC KEY")
    whole = stapled(root, "2.5.29.19", bytes.fromhex("30030101ff")) if valid else b""
    said = persist("trusted: true", category, block=root.der)
    _assert_same_anchors(tmp_path, said + broken + whole, said)


@pytest.mark.parametrize("section", [b"[p11-kit-object-v1]", b"[other]"])
@pytest.mark.parametrize("at", [0, 30, 60, 200])
def test_a_nul_byte_in_a_pem_block(at: int, section: bytes, tmp_path: Path) -> None:
    """p11-kit looks for the END line with strnstr, which stops at NUL. Then the file is read as plain PEM."""
    first, broken, last = (persist("trusted: true", block=Root(name).der) for name in ("First", "Broken", "Last"))
    broken = broken.replace(b"[p11-kit-object-v1]", section)
    place = broken.index(b"-----BEGIN") + at
    (tmp_path / "a.p11-kit").write_bytes(first + broken[:place] + b"\0" + broken[place:] + last)
    output = tmp_path / "out.pem"
    TrustTool([tmp_path]).extract("--format=openssl-bundle", "--filter=certificates", str(output))
    real = [each for _, each in pem.blocks(output.read_bytes())]
    with RootDirectory(str(tmp_path)) as view:
        chosen = select([token_of(files_of(view, "/"))], Filter.CERTIFICATES, "")
    assert [each for _, each in pem.blocks(formats.openssl_bundle(chosen))] == real


def _assert_same_anchors(tmp_path: Path, *files: bytes) -> None:
    """Compare the anchors of tokens with one file each, in this order."""
    for number, data in enumerate(files):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.p11-kit").write_bytes(data)
    output = tmp_path / "out.pem"
    tool = TrustTool(tmp_path / str(number) for number in range(len(files)))
    tool.extract("--format=pem-bundle", "--filter=ca-anchors", str(output))
    with RootDirectory(str(tmp_path)) as view:
        tokens = [token_of(files_of(view, f"/{number}")) for number in range(len(files))]
    real = [each for _, each in pem.blocks(output.read_bytes())]
    assert [each.certificate.der for each in select(tokens, Filter.ANCHORS)] == real


def _file(line: str) -> bytes:
    """An object with the line, and one behind it that counts if p11-kit accepts the first."""
    first = persist("trusted: true", "LINE", block=Root("With The Line").der)
    line_bytes = line.encode("latin-1")
    return first.replace(b"LINE", line_bytes) + persist("trusted: true", block=Root("Behind It").der)
