"""The local directory of anchors: what each request makes of it, and what stands in the way."""

from __future__ import annotations

import pytest

from rootfs_trust.errors import InputError, Problem
from rootfs_trust.rootfs.listing import MAX_DEPTH
from rootfs_trust.rootfs.view import Absent, File, join
from rootfs_trust.store.anchor import Anchor, name_of_subject
from rootfs_trust.store.anchor_sources import AnchorSources, stem
from rootfs_trust.store.source_file import Source, certificate_files, missing_issuers, read_source
from rootfs_trust.x509 import encode, parse_certificate
from tests.support.authority import Authority
from tests.support.memory import MemoryTree, Symlink

ONE, TWO, THREE = (parse_certificate(Authority(name).der) for name in ("One", "Two", "Three"))
DIRECTORY, SHIPPED = "/local", "/usr/share/ca-certificates"


def source(path: str, *certificates) -> Source:
    return read_source(path, b"".join(encode(each.der) for each in certificates))


def directory(
    *sources: Source, shipped: tuple[Source, ...] = (), distrusted: tuple[Source, ...] = (), **more
) -> AnchorSources:
    held = {each.path: each for each in sources}
    return AnchorSources(DIRECTORY, lambda path: f"{stem(path)}.pem", held, shipped, distrusted, **more)


def anchor(certificate, name: str = "mine", **more) -> Anchor:
    return Anchor(name, certificate, f"{name}.pem:1", **more)


def told(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(each.id, each.path) for each in problems]


def test_a_new_anchor_is_a_file_of_its_name() -> None:
    local = directory()
    local.add(anchor(ONE))
    assert local.changed == {f"{DIRECTORY}/mine.crt": File(encode(ONE.der))}
    assert local.sources[f"{DIRECTORY}/mine.crt"].certificates == (ONE,)
    assert local.installed == [anchor(ONE)]
    assert (local.conflicts, local.warnings) == ([], [])


def test_an_installed_anchor_stays_and_another_name_is_a_warning() -> None:
    local = directory(source(f"{DIRECTORY}/mine.crt", ONE), source(f"{DIRECTORY}/sub/other.crt", TWO))
    local.add(anchor(ONE, replace=True))
    assert (local.changed, local.warnings) == ({}, [])
    assert local.installed == [anchor(ONE)]
    local.add(anchor(TWO, "second"))
    assert local.installed[1].name == "other"
    assert told(local.warnings) == [("already-installed", "second.pem:1")]
    assert "/local/sub/other.crt" in local.warnings[0].message
    assert local.changed == {}


def test_the_same_name_needs_replace() -> None:
    local = directory(source(f"{DIRECTORY}/mine.crt", ONE))
    local.add(anchor(TWO))
    assert told(local.conflicts) == [("conflict", f"{DIRECTORY}/mine.crt")]
    assert ONE.sha256[:16] in local.conflicts[0].message
    assert "--replace mine" in local.conflicts[0].hint
    assert (local.changed, local.installed) == ({}, [])
    local = directory(source(f"{DIRECTORY}/mine.crt", ONE))
    local.add(anchor(TWO, replace=True))
    assert local.changed == {f"{DIRECTORY}/mine.crt": File(encode(TWO.der))}
    assert local.conflicts == []


def test_a_file_of_several_is_not_exchanged() -> None:
    local = directory(source(f"{DIRECTORY}/mine.crt", ONE, TWO))
    local.add(anchor(THREE, replace=True))
    assert told(local.conflicts) == [("conflict", f"{DIRECTORY}/mine.crt")]
    assert "--adopt" in local.conflicts[0].hint
    assert f"{ONE.sha256[:16]}, {TWO.sha256[:16]}" in local.conflicts[0].message


@pytest.mark.parametrize(
    "path", [f"{DIRECTORY}/sub/mine.crt", f"{SHIPPED}/x/mine.crt", f"{DIRECTORY}/mine.crt/inside.crt"]
)
@pytest.mark.parametrize("where", ["sources", "shipped", "distrusted"])
def test_no_two_sources_share_a_link(path: str, where: str) -> None:
    rival = source(path, TWO)
    local = directory(rival) if where == "sources" else directory(**{where: (rival,)})
    local.add(anchor(ONE, replace=True))
    assert told(local.conflicts) == [("conflict", path)]
    assert local.conflicts[0].hint == "give it another name"
    assert local.changed == {}


def test_a_shipped_anchor_is_installed_under_another_name() -> None:
    shipped = source(f"{SHIPPED}/mine.crt", ONE)
    local = directory(shipped=(shipped,))
    local.add(anchor(ONE))
    assert [each.name for each in local.installed] == [f"mine-{ONE.sha256[:8]}"]
    assert told(local.warnings) == [("already-shipped", "mine.pem:1")]
    assert shipped.path in local.warnings[0].message
    other = directory(shipped=(shipped,))
    other.add(anchor(ONE, "else"))
    assert [each.name for each in other.installed] == ["else"]


def test_a_distrusted_one_is_a_conflict_unless_only_anchors_are_trusted() -> None:
    distrusted = source(f"{SHIPPED}/gone.crt", ONE)
    local = directory(distrusted=(distrusted,))
    local.add(anchor(ONE))
    assert told(local.conflicts) == [("conflict", distrusted.path)]
    assert "gone.crt" in local.conflicts[0].hint
    local = directory(distrusted=(distrusted,), shipped=(source(f"{SHIPPED}/b.crt", ONE),))
    local.add(anchor(ONE), only=True)
    assert (local.conflicts, local.warnings) == ([], [])
    assert [each.name for each in local.installed] == ["mine"]


def test_removing_one_of_several_certificates_keeps_the_others() -> None:
    path = f"{DIRECTORY}/all.crt"
    local = directory(source(path, ONE, TWO, THREE), source(f"{DIRECTORY}/b.crt", TWO))
    local.remove(path, TWO.sha256)
    assert local.changed == {path: File(encode(ONE.der) + encode(THREE.der))}
    assert local.sources[path] == Source(path, encode(ONE.der) + encode(THREE.der), (ONE, THREE))
    assert local.removed == [Anchor("all", TWO, path)]
    local.remove(path)
    assert local.changed == {path: Absent()}
    assert list(local.sources) == [f"{DIRECTORY}/b.crt"]
    assert [each.certificate for each in local.removed] == [TWO, ONE, THREE]
    local.remove(f"{DIRECTORY}/b.crt", TWO.sha256)
    assert local.changed[f"{DIRECTORY}/b.crt"] == Absent()


def test_adopting_splits_and_gives_names() -> None:
    taken = name_of_subject(THREE.subject, THREE.sha256)
    malformed = source(f"{DIRECTORY}/all.crt", ONE, TWO, THREE)
    holder, clean = source(f"{DIRECTORY}/two.crt", TWO), source(f"{SHIPPED}/{taken}.crt", ONE)
    faulty = read_source(f"{DIRECTORY}/no.crt", b"nothing")
    local = directory(malformed, holder, faulty, shipped=(clean,))
    local.adopt()
    assert local.changed == {
        malformed.path: File(encode(ONE.der)),
        f"{DIRECTORY}/{taken}-{THREE.sha256[:8]}.crt": File(encode(THREE.der)),
    }
    assert local.sources[holder.path] == holder


def test_an_anchor_with_other_purposes_counts_as_another_certificate() -> None:
    held = {"purposes_of": lambda _source, _certificate: frozenset()}
    mine, other = source(f"{DIRECTORY}/mine.crt", ONE), source(f"{DIRECTORY}/other.crt", ONE)
    several = source(f"{DIRECTORY}/mine.crt", ONE, TWO)
    for there, hint in ((other, "delete that file"), (several, "split it"), (mine, "--replace mine")):
        local = directory(there, **held)
        local.add(anchor(ONE))
        assert told(local.conflicts) == [("conflict", there.path)]
        assert hint in local.conflicts[0].hint
        assert "for nothing, not for everything as requested" in local.conflicts[0].message
        assert (local.changed, local.installed) == ({}, [])
    local = directory(mine, **held)
    local.add(anchor(ONE, replace=True))
    assert local.installed == [anchor(ONE, replace=True)]
    assert local.changed == {mine.path: File(encode(ONE.der))}


def test_a_ca_that_another_one_signed_needs_it() -> None:
    root = Authority("Root")
    below = anchor(parse_certificate(Authority("Below", issuer=root).der))
    top = anchor(parse_certificate(root.der), "root")
    (missing,) = missing_issuers([below, top], [source("/x", below.certificate)])
    assert (missing.id, missing.path) == ("issuer-missing", "mine.pem:1")
    assert "CN=Root" in missing.message
    assert "root that signed it" in missing.hint
    assert list(missing_issuers([below], [source("/x", ONE, top.certificate)])) == []


def test_source_files_are_checked() -> None:
    der = read_source("/x", ONE.der)
    assert (der.certificates, der.clean) == ((ONE,), False)
    assert "DER" in der.fault
    assert "private key" in read_source("/x", b"-----BEGIN PRIVATE KEY-----").fault
    assert "line 3" in read_source("/x", b"# a\n# b\n-----BEGIN CERTIFICATE-----\n!\n").fault
    assert read_source("/x", encode(b"a", "X")).fault == read_source("/x", b"").fault == "contains no certificate"
    for text, clean in ((encode(ONE.der) + b"\n\n", True), (b"\n" + encode(ONE.der), False)):
        assert (read_source("/x", text).clean, read_source("/x", text).fault) == (clean, "")
    large = read_source("/large", encode(ONE.der) + b"#" * 9000)
    assert (large.path, large.certificates, large.data[-1:]) == ("/large", (ONE,), b"#")
    assert "contains 2 certificates" in source("/x", ONE, TWO).malformed


def test_files_of_a_directory_in_byte_order_as_find_has_them() -> None:
    names = ["b.crt", "a/z.crt", "a.crt", "A.crt", "x.pem", "é.crt", ".crt"]
    entries = {f"/s/{name}": File(b"") for name in names} | {"/s/link.crt": Symlink("b.crt"), "/s/loop": Symlink("/s")}
    entries["/s/folder.crt/x.crt"] = File(b"")
    found = ["/s/.crt", "/s/A.crt", "/s/a.crt", "/s/a/z.crt", "/s/b.crt", "/s/folder.crt/x.crt", "/s/é.crt"]
    assert certificate_files(MemoryTree(entries), "/s") == found
    assert certificate_files(MemoryTree(entries), "/s", follow=True) == sorted([*found, "/s/link.crt"])
    assert certificate_files(MemoryTree(entries), "/none") == []


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_directories_are_entered_so_deep_and_no_deeper(depth: int) -> None:
    path = "/s"
    for _ in range(depth):
        path = join(path, "d")
    tree = MemoryTree({f"{path}/a.crt": File(b"")})
    if depth == MAX_DEPTH:
        assert certificate_files(tree, "/s") == [f"{path}/a.crt"]
    else:
        with pytest.raises(InputError, match="is nested more than 100 directories deep"):
            certificate_files(tree, "/s")


def test_directories_that_link_to_each_other_have_an_end() -> None:
    """Forty directories with two links each to the next one: 2**40 ways through them."""
    links = {f"/s/{number}/{name}": Symlink(f"../{number + 1}") for number in range(40) for name in "ab"}
    tree = MemoryTree({**links, "/s/40/a.crt": File(b"")})
    with pytest.raises(InputError, match="has more than 100000 entries below it"):
        certificate_files(tree, "/s", follow=True)
