"""What the p11-kit layouts make of a request, on trees in memory."""

from __future__ import annotations

import pytest

from rootfs_trust.layouts.with_p11kit import ARCH, FEDORA, SUSE
from rootfs_trust.rootfs.view import Absent, Directory
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import parse_certificate
from tests.support.memory import File, MemoryTree, Symlink
from tests.unit.store.p11kit.sources import EMAIL, Root, persist, stapled_usages

ALPHA, BETA, MINE = Root("Alpha (1), Root"), Root("Beta Root"), Root("My CA")
SHIPPED = "/usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit"
SOURCE = "/etc/pki/ca-trust/source"
ANCHORS, BLOCKLIST = f"{SOURCE}/anchors", f"{SOURCE}/blocklist"


def tree(**more: bytes) -> MemoryTree:
    shipped = persist("trusted: true", block=ALPHA.der) + persist("trusted: true", block=BETA.der)
    files = {SHIPPED: shipped, **{f"{SOURCE}/{name}": data for name, data in more.items()}}
    return MemoryTree({path: File(data) for path, data in files.items()})


def anchor(root: Root, name: str = "mine", *, replace: bool = False) -> Anchor:
    return Anchor(name, parse_certificate(root.der), f"{name}.pem", replace)


def plan(view: MemoryTree, **asked) -> StorePlan:
    return plan_store(FEDORA, view, Request(**asked))


def bundle(given: StorePlan) -> list[str]:
    content = given.desired[FEDORA.bundle].content.decode()
    return [line[2:] for line in content.splitlines() if line.startswith("# ")]


def ids(given: StorePlan) -> list[str]:
    return [each.id for each in (*given.problems, *given.conflicts, *given.warnings)]


def with_nodes(view: MemoryTree, more: dict) -> MemoryTree:
    return MemoryTree({**view.entries, **more})


def after(view: MemoryTree, given: StorePlan) -> MemoryTree:
    entries = {path: node for path, node in {**view.entries, **given.desired}.items() if not isinstance(node, Absent)}
    return MemoryTree(entries)


def test_an_anchor_goes_before_what_is_shipped() -> None:
    given = plan(tree(), anchors=(anchor(MINE),))
    assert given.desired[f"{ANCHORS}/mine.crt"] == File(MINE.pem)
    assert bundle(given) == ["My CA", "Alpha (1), Root", "Beta Root"]
    assert [each.name for each in given.installed] == ["mine"]
    assert ids(given) == []


def test_order_of_writing() -> None:
    given = plan(tree(), anchors=(anchor(MINE),), remove=("Beta Root",))
    paths = list(given.desired)
    assert paths[0] == ANCHORS
    assert {paths[1], paths[2]} == {f"{BLOCKLIST}/Beta_Root.crt", f"{ANCHORS}/mine.crt"}
    assert paths.index(FEDORA.bundle) < paths.index(f"{FEDORA.hash_directory}/My_CA.pem")
    assert paths.index(f"{FEDORA.hash_directory}/My_CA.pem") < paths.index(
        next(path for path in paths if path.endswith(".0"))
    )


def test_modes() -> None:
    given = plan(tree())
    assert given.desired[FEDORA.bundle].mode == 0o444
    assert given.desired[FEDORA.hash_directory] == Directory(mode=0o555)
    assert given.desired[f"{FEDORA.hash_directory}/Beta_Root.pem"].mode == 0o444


@pytest.mark.parametrize("name", ["Alpha (1), Root", "Alpha__1___Root"])
def test_a_shipped_anchor_is_removed_by_the_blocklist(name: str) -> None:
    given = plan(tree(), remove=(name,))
    assert given.desired[f"{BLOCKLIST}/Alpha__1___Root.crt"] == File(ALPHA.pem)
    assert bundle(given) == ["Beta Root"]
    assert [each.name for each in given.removed] == ["Alpha__1___Root"]
    again = plan(after(tree(), given), remove=(name,))
    assert (again.desired[FEDORA.bundle], ids(again)) == (given.desired[FEDORA.bundle], [])


def test_removing_what_is_not_there_names_what_is_near() -> None:
    given = plan(tree(), remove=("Beta_Roof", "sha256:" + "0" * 64))
    assert [each.id for each in given.problems] == ["not-found", "not-found"]
    assert "Beta_Root" in given.problems[0].hint


def test_a_local_file_goes_and_its_shipped_copy_is_reported() -> None:
    view = tree(**{"anchors/mine.pem": BETA.pem})
    given = plan(view, remove=("mine",))
    assert given.desired[f"{ANCHORS}/mine.pem"] == Absent()
    assert bundle(given) == ["Alpha (1), Root", "Beta Root"]
    assert ids(given) == ["distrusted-yet-trusted"]


def test_every_copy_by_digest() -> None:
    sha256 = parse_certificate(BETA.der).sha256
    view = tree(**{"anchors/two.pem": BETA.pem + MINE.pem})
    for asked in ({"remove": (f"sha256:{sha256}",)}, {"distrust": frozenset((sha256,))}):
        given = plan(view, **asked)
        assert bundle(given) == ["My CA", "Alpha (1), Root"]
        assert given.desired[f"{ANCHORS}/two.pem"] == File(MINE.pem)
        assert given.desired[f"{BLOCKLIST}/Beta_Root.crt"] == File(BETA.pem)


def test_a_file_with_purposes_is_not_rewritten_as_plain_trust() -> None:
    other = Root("Other")
    view = tree(**{"anchors/two.pem": MINE.trusted((EMAIL,)) + other.trusted((EMAIL,))})
    given = plan(view, remove=("sha256:" + parse_certificate(other.der).sha256,))
    assert f"{ANCHORS}/two.pem" not in given.desired
    assert given.desired[f"{BLOCKLIST}/Other.crt"] == File(other.pem)


def test_only() -> None:
    view = tree(**{"anchors/other.pem": Root("Other").pem})
    given = plan(view, anchors=(anchor(MINE),), only=True)
    assert bundle(given) == ["My CA"]
    assert given.desired[f"{ANCHORS}/other.pem"] == Absent()
    assert ids(given) == ["base-none"]


def test_only_takes_an_anchor_off_the_blocklist_again() -> None:
    view = tree(**{"blocklist/both.crt": ALPHA.pem + BETA.pem})
    given = plan(view, anchors=(anchor(BETA, "beta"),), only=True)
    assert given.desired[f"{BLOCKLIST}/both.crt"] == File(ALPHA.pem)
    assert bundle(given) == ["Beta Root"]


def test_only_spares_a_root_with_an_anchors_key() -> None:
    renewed = Root("Beta Root", key=BETA.key)
    given = plan(tree(), anchors=(anchor(renewed, "renewed"),), only=True)
    assert bundle(given) == ["Beta Root", "Beta Root"]
    assert ids(given) == ["distrusted-yet-trusted", "base-none"]


def test_an_anchor_that_the_blocklist_distrusts_is_a_conflict() -> None:
    view = tree(**{"blocklist/beta.crt": BETA.pem})
    for distrusted in (BETA, Root("Beta Root", key=BETA.key)):
        given = plan(view, anchors=(anchor(distrusted),))
        assert [each.path for each in given.conflicts] == [f"{BLOCKLIST}/beta.crt"]


def test_the_older_directory_is_used_where_it_alone_is_there() -> None:
    view = tree(**{"blacklist/old.pem": Root("Old").pem})
    assert f"{SOURCE}/blacklist/Beta_Root.crt" in plan(view, remove=("Beta Root",)).desired


def test_names_on_the_blocklist_that_are_taken() -> None:
    view = tree(**{"blocklist/Beta_Root.crt": Root("x").pem})
    short = parse_certificate(BETA.der).sha256[:8]
    assert f"{BLOCKLIST}/Beta_Root-{short}.crt" in plan(view, remove=("Beta Root",)).desired


def test_what_no_output_will_hold_is_reported() -> None:
    for odd in (Root("Server", ca=False), Root("Mail", usages=(EMAIL,))):
        assert ids(plan(tree(), anchors=(anchor(odd),))) == ["no-output"]


def test_faults_of_local_files() -> None:
    key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    view = tree(
        **{
            "anchors/key.pem": MINE.pem + key,
            "anchors/no.crt": b"nothing",
            "anchors/README": b"text",
            "anchors/half.pem": broken + MINE.pem,
            "anchors/der.cer": Root("In DER").der,
        }
    )
    given = plan(view)
    assert [each.path for each in given.conflicts] == [f"{ANCHORS}/key.pem", f"{ANCHORS}/no.crt"]
    assert [each.path for each in given.warnings] == [f"{ANCHORS}/half.pem"]
    adopted = plan(view, adopt=True)
    assert adopted.desired[f"{ANCHORS}/half.pem"] == File(MINE.pem)


def test_a_certificate_that_only_the_bundle_holds() -> None:
    view = tree()
    view = with_nodes(view, {FEDORA.bundle: File(b"# x\n" + Root("Unsourced").pem)})
    assert ids(plan(view)) == ["conflict"]
    assert ids(plan(view, drop_unsourced=True)) == []


def test_leftovers_are_deleted_and_files_of_others_stay() -> None:
    view = tree(**{"anchors/gone.pem": MINE.pem})
    view = after(view, plan(view))
    view = with_nodes(view, {f"{FEDORA.hash_directory}/notes.txt": File(b"mine")})
    given = plan(view, remove=("gone",))
    gone = [path for path, node in given.desired.items() if node == Absent()]
    assert f"{FEDORA.hash_directory}/My_CA.pem" in gone
    assert len(gone) == 4  # its file, two hash links, and the source
    assert [each.path for each in given.warnings] == [f"{FEDORA.hash_directory}/notes.txt"]


def test_fedoras_links_where_the_package_has_its_directory() -> None:
    view = tree()
    assert not any(path.startswith("/etc/pki/tls") for path in plan(view).desired)
    view = with_nodes(view, {"/etc/pki/tls": Directory(), "/etc/ssl": Directory()})
    desired = plan(view).desired
    assert desired["/etc/pki/tls/cert.pem"] == Symlink(FEDORA.bundle)
    assert desired["/etc/ssl/certs"] == Symlink("/etc/pki/tls/certs")
    view = with_nodes(view, {"/etc/pki/tls/cert.pem": File(b"the owner's")})
    assert "/etc/pki/tls/cert.pem" not in plan(view).desired


@pytest.mark.parametrize("prefix", ["../../ca-trust/extracted/pem/directory-hash/", f"{FEDORA.hash_directory}/"])
def test_fedoras_hash_links_beside_are_kept_as_they_are_found(prefix: str) -> None:
    view = tree()
    view = with_nodes(view, {"/etc/pki/tls": Directory(), "/etc/pki/tls/certs": Directory()})
    view = with_nodes(view, {"/etc/pki/tls/certs/00000000.0": Symlink(f"{prefix}Gone.pem")})
    desired = plan(view).desired
    assert desired["/etc/pki/tls/certs/00000000.0"] == Absent()
    digits = parse_certificate(BETA.der).subject.hash
    assert desired[f"/etc/pki/tls/certs/{digits}.0"] == Symlink(f"{prefix}Beta_Root.pem")
    assert "/etc/pki/tls/cert.pem" not in desired


def test_arch_repeats_files_and_links_in_etc_ssl_certs() -> None:
    shipped = persist("trusted: true", block=BETA.der)
    view = MemoryTree({"/usr/share/ca-certificates/trust-source/mozilla.trust.p11-kit": File(shipped)})
    prefix = "../../ca-certificates/extracted/cadir/"
    view = with_nodes(view, {"/etc/ssl/certs/Old.pem": Symlink(f"{prefix}Old.pem"), "/etc/ssl/certs/x.pem": File(b"x")})
    desired = plan_store(ARCH, view, Request()).desired
    digits = parse_certificate(BETA.der).subject.hash
    assert desired["/etc/ssl/certs/Beta_Root.pem"] == Symlink(f"{prefix}Beta_Root.pem")
    assert desired[f"/etc/ssl/certs/{digits}.0"] == Symlink(f"{prefix}Beta_Root.pem")
    assert desired["/etc/ssl/certs/Old.pem"] == Absent()
    assert "/etc/ssl/certs/x.pem" not in desired
    assert desired["/etc/ssl/cert.pem"] == Symlink("../ca-certificates/extracted/tls-ca-bundle.pem")


def test_suse_has_the_comments_of_its_tool_or_those_that_its_bundle_begins_with() -> None:
    view = MemoryTree({"/usr/share/pki/trust/anchors/beta.pem": File(BETA.pem)})
    first = plan_store(SUSE, view, Request()).desired[SUSE.bundle]
    *comments, rest = first.content.split(b"\n", 11)
    assert (len(comments), rest, first.mode) == (11, BETA.pem, 0o644)
    assert all(line.startswith(b"#") for line in comments)
    view = with_nodes(view, {SUSE.bundle: File(b"#\n# automatically created\n#\n" + BETA.pem)})
    assert plan_store(SUSE, view, Request()).desired[SUSE.bundle].content == view.entries[SUSE.bundle].content


def test_a_label_cannot_begin_a_line_of_a_bundle() -> None:
    label = "x%0a-----BEGIN CERTIFICATE-----"
    view = MemoryTree({SHIPPED: File(persist("trusted: true", f'label: "{label}"', block=BETA.der))})
    assert bundle(plan(view)) == ["x -----BEGIN CERTIFICATE-----"]


def test_purposes_decide_on_the_bundle() -> None:
    shipped = persist("trusted: true", block=BETA.der) + stapled_usages(BETA, EMAIL)
    view = MemoryTree({SHIPPED: File(shipped)})
    given = plan(view)
    assert bundle(given) == []
    mail = FEDORA.bundle.replace("tls", "email")
    assert given.desired[mail].content == b"# Beta Root\n" + BETA.pem


def test_what_the_documentation_says() -> None:
    for layout in (FEDORA, SUSE, ARCH):
        assert all(token in " ".join(layout.reads) for token in layout.tokens)
        assert all(
            output.path in " ".join(layout.writes) for output in (*layout.tool.bundles, *layout.tool.directories)
        )
