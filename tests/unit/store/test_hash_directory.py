"""A hash directory in a tree: links in the order of writing, links that have to go, and what is told of files."""

from __future__ import annotations

from rootfs_trust.rootfs.view import Absent
from rootfs_trust.store.hash_links import hash_directory, links_into, rehashed
from rootfs_trust.store.source_file import Source, read_source
from rootfs_trust.x509 import encode, parse_certificate
from tests.support.memory import Directory, File, MemoryTree, Special, Symlink
from tests.unit.x509.building import certificate, crl, element, name, utf8

ROOT = name(utf8("Root"))
DERS = [certificate(ROOT, serial=element(2, bytes((number,)))) for number in range(1, 13)]
SUBJECT = parse_certificate(DERS[0]).subject
DIRECTORY = "/certs"


def tree(**files: bytes) -> MemoryTree:
    return MemoryTree({f"{DIRECTORY}/{each.replace('_', '.')}": File(data) for each, data in files.items()})


def told(view: MemoryTree) -> list[tuple[str, str, str]]:
    return [(each.id, each.path, each.message) for each in rehashed(view, DIRECTORY, ("new",))[1]]


def test_higher_numbers_come_first_so_that_no_link_is_missing_between() -> None:
    view = tree(
        **{f"c{number:02}_pem": encode(der) for number, der in enumerate(DERS)}, r_pem=encode(crl(ROOT), "X509 CRL")
    )
    nodes, warnings = rehashed(view, DIRECTORY, ("new",))
    new = [f"{DIRECTORY}/{SUBJECT.hash}.{number}" for number in range(11, -1, -1)]
    assert [path for path in nodes if ".r" not in path] == new
    assert nodes[f"{DIRECTORY}/{SUBJECT.hash}.r0"] == Symlink("r.pem")
    assert nodes[new[0]] == Symlink("c11.pem")
    assert warnings == []


def test_the_styles_of_links() -> None:
    view = tree(a_pem=encode(DERS[0]))
    for styles, names in (
        (("new",), [SUBJECT.hash]),
        (("old",), [SUBJECT.hash_old]),
        (("new", "old"), [SUBJECT.hash, SUBJECT.hash_old]),
    ):
        assert set(rehashed(view, DIRECTORY, styles)[0]) == {f"{DIRECTORY}/{each}.0" for each in names}


def test_old_links_go_and_what_is_not_a_link_stays() -> None:
    view = tree(a_pem=encode(DERS[0]))
    view.entries |= {
        f"{DIRECTORY}/01234567.0": Symlink("gone.pem"),
        f"{DIRECTORY}/01234567.1": File(b""),
        f"{DIRECTORY}/{SUBJECT.hash}.7": Symlink("a.pem"),
        f"{DIRECTORY}/other": Symlink("a.pem"),
    }
    nodes, _ = rehashed(view, DIRECTORY, ("new",))
    gone = [path for path, node in nodes.items() if node == Absent()]
    assert gone == sorted((f"{DIRECTORY}/01234567.0", f"{DIRECTORY}/{SUBJECT.hash}.7"))


def test_names_that_are_not_files_get_a_warning() -> None:
    view = tree()
    view.entries |= {
        DIRECTORY: Directory(),
        f"{DIRECTORY}/a.pem": Symlink("nowhere"),
        f"{DIRECTORY}/b.pem": Directory(),
        f"{DIRECTORY}/c.pem": Special("FIFO"),
        f"{DIRECTORY}/d.txt": Symlink("nowhere"),
    }
    assert told(view) == [
        ("dangling-link", f"{DIRECTORY}/a.pem", "is a dangling link"),
        ("no-file", f"{DIRECTORY}/b.pem", "is a directory and gets no link"),
        ("no-file", f"{DIRECTORY}/c.pem", "is not a regular file and gets no link"),
    ]


def test_a_store_links_its_own_and_the_files_of_others() -> None:
    mine, stranger = DERS[0], certificate(name(utf8("Stranger")))
    other = parse_certificate(stranger).subject.hash
    view = tree(**{"user_pem": encode(stranger), "bundle_crt": encode(DERS[1]), "notes_pem": b"text"})
    view.entries[f"{DIRECTORY}/old.pem"] = Symlink("/usr/share/old.crt")
    malformed = read_source("/src/b.crt", b"# text\n" + encode(DERS[2]))
    links = {"a.pem": ("/src/a.crt", read_source("/src/a.crt", encode(mine))), "b.pem": ("/src/b.crt", malformed)}
    nodes = hash_directory(view, DIRECTORY, links, bundle="bundle.crt", stale=("old.pem", "a.pem", "bundle.crt"))
    assert list(nodes.items()) == [
        (f"{DIRECTORY}/a.pem", Symlink("/src/a.crt")),
        (f"{DIRECTORY}/b.pem", Symlink("/src/b.crt")),
        *sorted(
            [
                (f"{DIRECTORY}/{SUBJECT.hash}.1", Symlink("b.pem")),
                (f"{DIRECTORY}/{SUBJECT.hash}.0", Symlink("a.pem")),
                (f"{DIRECTORY}/{other}.0", Symlink("user.pem")),
            ],
            key=lambda pair: (pair[0][:-1], -int(pair[0][-1])),
        ),
        (f"{DIRECTORY}/old.pem", Absent()),
    ]


def test_links_into_a_directory() -> None:
    view = tree(a=b"")
    view.entries |= {
        f"{DIRECTORY}/b": Symlink("/usr/share/ca-certificates/b.crt"),
        f"{DIRECTORY}/c": Symlink("/usr/local/share/c.crt"),
        f"{DIRECTORY}/d": Symlink("x/usr/share/ca-certificates/d.crt"),
    }
    assert list(links_into(view, DIRECTORY, ("/usr/share/",))) == ["b"]
    assert list(links_into(view, DIRECTORY, ("/usr/share/", "/usr/local/"))) == ["b", "c"]


def test_a_source_without_certificates_gives_no_link() -> None:
    view = tree()
    nodes = hash_directory(
        view, DIRECTORY, {"a.pem": ("x", Source("x", b"", (), fault="holds no certificate"))}, bundle="b", stale=()
    )
    assert nodes == {f"{DIRECTORY}/a.pem": Symlink("x")}
