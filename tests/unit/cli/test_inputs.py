"""Every form of input that is taken: each certificate becomes one clean PEM file under a predictable name."""

from __future__ import annotations

import base64
import os

import pytest

from tests.support.authority import Authority, pkcs7_der, pkcs7_pem

LOCAL = "usr/local/share/ca-certificates"


def installed(debian) -> dict[str, bytes]:
    """The files of the local directory, each of which has to be 0644."""
    files = sorted((debian.path / LOCAL).iterdir())
    assert {oct(file.stat().st_mode & 0o7777) for file in files} <= {"0o644"}
    return {file.name: file.read_bytes() for file in files}


FORMS = {
    "plain": lambda pem: pem,
    "no-final-newline": lambda pem: pem.rstrip(b"\n"),
    "crlf": lambda pem: pem.replace(b"\n", b"\r\n"),
    "bom": lambda pem: b"\xef\xbb\xbf" + pem,
    "bom-crlf": lambda pem: b"\xef\xbb\xbf" + pem.replace(b"\n", b"\r\n"),
    "text-before": lambda pem: b"Certificate:\n    Data: \xe9\xff\n\n" + pem,
    "text-behind": lambda pem: pem + b"that was it\n",
    "blank-lines": lambda pem: b"\n\n" + pem + b"\n\n\n",
    "trailing-blanks": lambda pem: pem.replace(b"\n", b"  \t\n"),
    "one-line-body": lambda pem: rewrapped(pem, 10**6),
    "short-lines": lambda pem: rewrapped(pem, 40),
    "76-a-line": lambda pem: rewrapped(pem, 76),
    "old-label": lambda pem: pem.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
    "trusted-label": lambda pem: pem.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
    "der": lambda pem: base64.b64decode(b"".join(pem.splitlines()[1:-1])),
}


def rewrapped(pem: bytes, width: int) -> bytes:
    begin, *body, end = pem.splitlines()
    text = b"".join(body)
    # OpenSSL reads lines of up to 254 octets, in pieces where they are longer.
    return b"\n".join([begin, *(text[at : at + width] for at in range(0, len(text), width)), end, b""])


@pytest.mark.parametrize("form", FORMS)
def test_one_certificate_in_any_form_becomes_one_clean_file(install, debian, authority, tmp_path, form):
    os.umask(0o077)
    file = tmp_path / "my-ca.pem"
    file.write_bytes(FORMS[form](authority.pem))
    result = install("--cert", file)
    assert result.status == 0
    assert result.anchors == {"my-ca": authority.sha256}
    assert result.warnings == []
    assert installed(debian) == {"my-ca.crt": authority.pem}
    assert debian.read("etc/ssl/certs/ca-certificates.crt").endswith(authority.pem)
    assert os.readlink(debian.path / "etc/ssl/certs/my-ca.pem") == f"/{LOCAL}/my-ca.crt"


@pytest.fixture(autouse=True)
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_directories_are_0755_whatever_the_umask(install, debian, authority, tmp_path):
    os.umask(0o077)
    (debian.path / LOCAL).rmdir()
    (tmp_path / "my-ca.pem").write_bytes(authority.pem)
    assert install("--cert", tmp_path / "my-ca.pem", "--cloud", "c8y").status == 0
    for path, mode in ((LOCAL, 0o755), ("etc/tedge/tedge.toml", 0o644), ("etc/ssl/certs/ca-certificates.crt", 0o644)):
        assert (debian.path / path).stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize("form", ["pem", "crlf", "text", "pkcs7-der", "pkcs7-pem", "cms-pem", "mixed"])
def test_several_certificates_are_named_by_their_subjects(install, debian, tmp_path, form):
    first, second = Authority("Factory Root 1"), Authority("", organization="Widgets & Sons, Inc.")
    content = {
        "pem": first.pem + second.pem,
        "crlf": (first.pem + second.pem).replace(b"\n", b"\r\n"),
        "text": b"# one\n" + first.pem + b"\n# two\n" + second.pem + b"end",
        "pkcs7-der": pkcs7_der(first, second),
        "pkcs7-pem": pkcs7_pem(first, second),
        "cms-pem": b"text\n" + pkcs7_pem(first, second).replace(b"PKCS7", b"CMS"),
        "mixed": first.pem + pkcs7_pem(second),
    }[form]
    file = tmp_path / "bundle.p7b"
    file.write_bytes(content)
    result = install("--cert", file)
    assert result.warnings == []
    assert result.anchors == {"Factory_Root_1": first.sha256, "Widgets___Sons__Inc.": second.sha256}
    assert installed(debian) == {"Factory_Root_1.crt": first.pem, "Widgets___Sons__Inc..crt": second.pem}


def test_digests_distinguish_certificates_of_one_file_with_the_same_subject(install, debian):
    """A CA and its renewal in one file, as they are handed out before the old one ends."""
    old, other = Authority("Company Root"), Authority("Another Root")
    new = old.renewed()
    result = install("--cert", "-", stdin=old.pem + other.pem + new.pem + old.pem)
    names = {f"Company_Root-{each.sha256[:8]}": each.sha256 for each in (old, new)}
    assert result.anchors == {**names, "Another_Root": other.sha256}
    assert [id for id, _ in result.warnings] == ["duplicate"]


def test_a_subject_without_a_name_gives_the_digest(install, debian, authority, tmp_path):
    nameless = Authority("")
    (tmp_path / "two.pem").write_bytes(authority.pem + nameless.pem)
    result = install("--cert", tmp_path / "two.pem")
    assert result.anchors == {"Test_Root_CA": authority.sha256, f"anchor-{nameless.sha256[:8]}": nameless.sha256}


@pytest.mark.parametrize("form", ["pem", "der", "pkcs7"])
def test_standard_input_is_named_by_the_subject(install, debian, authority, form):
    content = {"pem": authority.pem, "der": authority.der, "pkcs7": pkcs7_der(authority)}[form]
    result = install("--cert", "-", stdin=content)
    assert result.anchors == {"Test_Root_CA": authority.sha256}
    assert installed(debian) == {"Test_Root_CA.crt": authority.pem}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("my-ca.pem", "my-ca"),
        ("my-ca.PEM", "my-ca"),
        ("my-ca", "my-ca"),
        ("my-ca.2027.crt", "my-ca.2027"),
        ("my-ca.txt", "my-ca.txt"),
        ("Ägypten (neu), Root.cer", "_gypten__neu___Root"),
        ("-rf.pem", "_rf"),
        (".hidden.pem", "_hidden"),
        (".pem", "_pem"),
        ("..pem", "_"),
        ("a\nb.pem", "a_b"),
        ("$(reboot).der", "__reboot_"),
        ("x" * 240 + ".pem", "x" * 200),
    ],
)
def test_a_file_gives_its_only_certificate_a_safe_name(install, debian, authority, tmp_path, file, name):
    (tmp_path / file).write_bytes(authority.pem)
    assert install("--cert", tmp_path / file).anchors == {name: authority.sha256}
    assert list(installed(debian)) == [f"{name}.crt"]


def test_a_certificate_given_twice_is_installed_once_with_a_note(install, debian, authority, other_authority, tmp_path):
    (tmp_path / "a.pem").write_bytes(authority.pem)
    (tmp_path / "b.der").write_bytes(authority.der)
    (tmp_path / "c.pem").write_bytes(other_authority.pem + authority.pem)
    words = [word for name in ("a.pem", "b.der", "c.pem") for word in ("--cert", tmp_path / name)]
    result = install(*words)
    assert result.status == 0
    assert result.anchors == {"a": authority.sha256, "Other_Root_CA": other_authority.sha256}
    line = len(other_authority.pem.splitlines()) + 1
    assert result.warnings == [("duplicate", str(tmp_path / "b.der")), ("duplicate", f"{tmp_path / 'c.pem'}:{line}")]
    assert f"{tmp_path / 'a.pem'}:1" in result.document["warnings"][0]["message"]
    assert list(installed(debian)) == ["Other_Root_CA.crt", "a.crt"]


# -- directories -----------------------------------------------------------------------------------------------


def test_what_is_taken_from_a_directory(install, debian, tmp_path):
    directory = tmp_path / "certs"
    (directory / "below").mkdir(parents=True)
    authorities = {name: Authority(name) for name in "abcdefghij"}
    for name, suffix in zip("abcdef", (".pem", ".crt", ".cer", ".PEM", ".der", ".p7b"), strict=True):
        each = authorities[name]
        content = {".der": each.der, ".p7b": pkcs7_der(each)}.get(suffix, each.pem)
        (directory / f"{name}{suffix}").write_bytes(content)
    (directory / "g.p7c").write_bytes(pkcs7_der(authorities["g"]))
    (directory / ".hidden.pem").write_bytes(b"not even a certificate")
    (directory / "below/h.pem").write_bytes(authorities["h"].pem)
    (directory / "i.txt").write_bytes(authorities["i"].pem)
    (tmp_path / "elsewhere").write_bytes(authorities["j"].pem)
    (directory / "j.pem").symlink_to("../elsewhere")
    os.mkfifo(directory / "k.pem")
    result = install("--cert", directory)
    assert result.status == 0
    assert result.anchors == {name: authorities[name].sha256 for name in "abcdefgj"}
    assert result.warnings == [
        ("skipped", str(directory / "below")),
        ("skipped", str(directory / "i.txt")),
        ("skipped", str(directory / "k.pem")),
    ]
    assert list(installed(debian)) == [f"{name}.crt" for name in "abcdefgj"]


def test_a_directory_given_through_a_link_with_a_slash(install, authority, tmp_path):
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/ca.pem").write_bytes(authority.pem)
    (tmp_path / "link").symlink_to("certs")
    assert install("--cert", f"{tmp_path}/link/").anchors == {"ca": authority.sha256}


def test_files_that_a_directory_skips_may_have_any_content(install, authority, tmp_path):
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/ca.pem").write_bytes(authority.pem)
    (tmp_path / "certs/archive.tar").write_bytes(b"\x30\x82\xff\xff" + bytes(3000))
    (tmp_path / "certs/broken.txt").write_bytes(authority.pem[:100])
    (tmp_path / "certs/nowhere").symlink_to("/does/not/exist")
    result = install("--cert", tmp_path / "certs")
    assert result.anchors == {"ca": authority.sha256}
    assert {path.rpartition("/")[2] for _, path in result.warnings} == {"archive.tar", "broken.txt", "nowhere"}


def test_a_dangling_link_that_is_called_like_a_certificate_is_an_error(refused, authority, tmp_path):
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/ca.pem").write_bytes(authority.pem)
    (tmp_path / "certs/old.pem").symlink_to("/does/not/exist")
    assert refused("--cert", tmp_path / "certs").errors == [("unreadable", str(tmp_path / "certs/old.pem"))]
