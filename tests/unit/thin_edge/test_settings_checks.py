"""What thin-edge.io and mosquitto would stumble over in a rootfs that others have written to: told, not refused."""

from __future__ import annotations

import pytest

from rootfs_trust.errors import InputError, Problem
from rootfs_trust.rootfs.device import READ, SEARCH, Device, User
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Absent, Directory, File, Owner, Symlink, View
from rootfs_trust.thin_edge.settings_checks import check_settings, has_hash_links
from rootfs_trust.thin_edge.trust_settings import parse_setting
from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.support.memory import MemoryTree

USERS = {
    "/etc/passwd": File(b"root:x:0:0:::\ntedge:x:951:950:::\nmosquitto:x:961:960:::\n"),
    "/etc/group": File(b"tedge:x:950:\ncerts:x:7:games,tedge\n"),
}
LINK = {"/data/ca/0a1b2c3d.0": Symlink("ca.pem")}


def warned(entries, *settings, store=None, built_in=False, tree: type[MemoryTree] = MemoryTree) -> list[Problem]:
    view: View = tree({**USERS, **entries})
    asked = [parse_setting(text) for text in settings]
    problems, warnings = check_settings(asked, PlannedTree(Device(view), store or {}), built_in_bridge=built_in)
    assert problems == []
    assert all(each.hint for each in warnings)
    return warnings


def found(*arguments, **options) -> list[tuple[str, str]]:
    return [(each.id, each.path) for each in warned(*arguments, **options)]


# -- who may read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "mode", "tedge", "mosquitto"),
    [
        (None, 0o644, True, True),
        (None, 0o600, False, False),
        (Owner(951, 0), 0o600, True, False),
        (Owner(961, 0), 0o400, False, True),
        (Owner(0, 950), 0o640, True, False),
        (Owner(0, 7), 0o640, True, False),
        (Owner(0, 960), 0o040, False, True),
        # The first class that fits decides, though a later one would grant it.
        (Owner(951, 950), 0o077, False, True),
        (Owner(0, 950), 0o604, False, True),
    ],
)
def test_a_file_that_a_user_may_not_read(owner, mode, tedge, mosquitto):
    entries = {"/data/ca.pem": File(b"", owner, mode)}
    setting = "c8y.root_cert_path=/data/ca.pem"
    warnings = warned(entries, setting)
    refused = [each.message.split()[2] for each in warnings]
    assert refused == ["tedge"] * (not tedge) + ["mosquitto"] * (not mosquitto)
    assert {(each.id, each.path) for each in warnings} <= {("thin-edge-unreadable", "/data/ca.pem")}
    assert len(warned(entries, setting, built_in=True)) == (not tedge)
    assert len(warned(entries, "mqtt.client.auth.ca_file=/data/ca.pem")) == (not tedge)


@pytest.mark.parametrize(
    ("mode", "as_directory", "as_way"), [(0o755, 0, 0), (0o711, 1, 0), (0o744, 1, 1), (0o700, 1, 1)]
)
def test_directories_need_search_and_read_permission(mode, as_directory, as_way):
    entries = {"/data/ca": Directory(mode=mode), "/data/ca/ca.pem": File(b""), **LINK}
    assert len(warned(entries, "http.ca_path=/data/ca")) == as_directory
    assert len(warned(entries, "mqtt.external.ca_path=/data/ca")) == as_directory
    assert len(warned(entries, "mqtt.client.auth.ca_file=/data/ca/ca.pem")) == as_way


def test_unreadable_directories_on_the_link_path_are_reported_once():
    entries = {
        "/secret": Directory(mode=0o700),
        "/secret/ca/ca.pem": File(b""),
        "/secret/ca/0a1b2c3d.0": Symlink("ca.pem"),
        "/etc/certs": Symlink("../secret/ca"),
    }
    settings = ("c8y.root_cert_path=/etc/certs", "c8y.proxy.ca_path=/etc/certs", "az.root_cert_path=/etc/certs/ca.pem")
    assert found(entries, *settings) == [("thin-edge-unreadable", "/secret")] * 2


def test_permissions_are_those_after_the_run():
    old = {"/data/ca.pem": File(b"", None, 0o600)}
    assert len(warned(old, "az.root_cert_path=/data/ca.pem", store={"/data/ca.pem": File(b"new")})) == 2
    new = {"/new/ca.pem": File(b"new"), "/new/0a1b2c3d.0": Symlink("ca.pem")}
    assert warned({}, "az.root_cert_path=/new", "c8y.root_cert_path=/new/ca.pem", store=new) == []
    assert len(warned({}, "az.root_cert_path=/new", store={**new, "/new": Directory(mode=0o700)})) == 2


def test_the_root_directory_is_the_build_hosts():
    tree = {"/": Directory(mode=0o700), "/0a1b2c3d.0": File(b""), "/ca.pem": File(b"")}
    assert warned(tree, "c8y.root_cert_path=/ca.pem", "http.ca_path=/") == []


@pytest.mark.parametrize(
    "passwd", [b"", b"tedge:x\n", b"tedge:x:one:1:::\n", b"tedge:x:\xb2:1:::\n", b"tedge:x:" + b"9" * 9000 + b":1:::\n"]
)
def test_a_missing_user_has_the_permissions_of_others(passwd):
    user = Device(MemoryTree({"/etc/passwd": File(passwd)})).user("tedge")
    assert user == User("tedge")
    assert user.may(READ, Owner(0, 0), 0o004) and not user.may(SEARCH, Owner(0, 0), 0o776)


def test_root_may_all():
    assert User("tedge", 0).may(READ | SEARCH, Owner(5, 5), 0)


# -- what spoils a directory ----------------------------------------------------------------------------------

GOOD = Authority("Good").pem
CUT = GOOD[:200]
FILES = {
    "good": (GOOD, None),
    "crlf": (GOOD.replace(b"\n", b"\r\n"), None),
    "text": (b"# a CA\n" + GOOD + b"\n", None),
    "several": (GOOD * 2, None),
    "DER": (Authority("Der").der, None),
    "nothing": (b"", None),
    "a README": (b"certificates of the site\n", None),
    "key": (Authority("Key").key_pem, None),
    "trusted": (encode(Authority("Trusted").der, "TRUSTED CERTIFICATE"), None),
    "cut": (CUT, "END line is missing"),
    "good and cut": (GOOD + CUT, "END line is missing"),
    "no base64": (GOOD.replace(b"\nMII", b"\n!!!"), "malformed"),
    "empty": (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "malformed"),
    "garbage": (encode(b"no certificate"), "is not a certificate"),
    "trailing": (encode(Authority("Long").der + b"\0"), "is not a certificate"),
    "another block cut": (GOOD + b"-----BEGIN X-----\nAAA\n", "block X of line"),
    "old key": (
        b"-----BEGIN RSA PRIVATE" + b" KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        "has a header",
    ),
}
SETTINGS = {
    "c8y.root_cert_path": 1,
    "aws.profiles.x.root_cert_path": 1,
    "http.ca_path": 1,
    "mqtt.client.auth.ca_dir": 1,
    "c8y.proxy.ca_path": 0,
    "mqtt.external.ca_path": 0,
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", ["ca.pem", "notes"])
def test_a_malformed_foreign_file_in_the_directory_is_a_warning(kind, name):
    data, says = FILES[kind]
    entries = {f"/data/ca/{name}": File(data), "/data/ca/0a1b2c3d.0": Symlink(name)}
    for key, counts in SETTINGS.items():
        warnings = warned(entries, f"{key}=/data/ca")
        read = counts and (name == "ca.pem" or not key.endswith("ca_dir"))
        assert [(each.id, each.path) for each in warnings] == [("client-cannot-read", f"/data/ca/{name}")] * bool(
            read and says
        )
        assert all(says in each.message and key in each.message for each in warnings)


def test_settings_of_one_directory_are_reported_together_and_no_key_is_printed():
    entries = {"/data/ca/a.pem": File(CUT), "/data/ca/0a1b2c3d.0": Symlink("a.pem"), "/other": Symlink("data/ca")}
    (warning,) = warned(entries, "c8y.root_cert_path=/data/ca", "az.root_cert_path=/other", "http.ca_path=/data/ca")
    assert "(c8y.root_cert_path, az.root_cert_path, http.ca_path)" in warning.message
    data = b"-----BEGIN PRIVATE" + b" KEY-----\nSECRET\n"
    (warning,) = warned({"/data/ca/a.pem": File(data)}, "http.ca_path=/data/ca")
    assert "SECRET" not in str(warning)


def test_files_of_the_run_are_not_checked_as_foreign():
    store = {
        "/data/ca/bundle.crt": File(CUT),
        "/data/ca/link.pem": Symlink("/usr/share/x.crt"),
        "/usr/share/x.crt": File(CUT),
        "/data/ca/0a1b2c3d.0": Symlink("link.pem"),
    }
    entries = {"/data/ca/bundle.crt": File(CUT), "/data/ca/mine.pem": Symlink("link.pem")}
    assert warned(entries, "c8y.root_cert_path=/data/ca", store=store) == []


def test_subdirectories_and_dangling_links_are_skipped():
    entries = {"/data/ca/more/a.pem": File(CUT), "/data/ca/gone.pem": Symlink("none"), "/data/ca/b.pem": File(GOOD)}
    assert warned(entries, "http.ca_path=/data/ca") == []


def test_a_name_that_is_not_utf8():
    entries = {"/data/ca/\udcff.txt": File(b""), "/data/ca/\udcfe": Directory(), "/data/ca/é.pem": File(GOOD)}
    expected = [("thin-edge-name", "/data/ca/\udcfe"), ("thin-edge-name", "/data/ca/\udcff.txt")]
    assert found(entries, "http.ca_path=/data/ca") == expected


def test_each_file_is_read_once_and_one_that_cannot_be_read_is_reported():
    class Counting(MemoryTree):
        def node(self, path, *, follow=False):
            if follow and path.endswith("huge.pem"):
                raise InputError(Problem("too-large", path, "is larger than that", "move it"))
            reads.extend([path] * (follow and path.startswith("/data")))
            return super().node(path, follow=follow)

    reads: list[str] = []
    entries = {"/data/ca/a.pem": File(GOOD), "/data/ca/huge.pem": File(b""), "/data/ca/0a1b2c3d.0": Symlink("a.pem")}
    settings = ("c8y.root_cert_path=/data/ca", "az.root_cert_path=/data/ca", "http.ca_path=/data/ca")
    assert found(entries, *settings, tree=Counting) == [("too-large", "/data/ca/huge.pem")]
    assert reads == ["/data/ca/a.pem"]


# -- hash links --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("7f334139.0", True),
        *((name, False) for name in ("7f334139.007", "7f334139.00", "7f334139.1", "7f334139.r0", "7F334139.0")),
    ],
)
def test_which_names_openssls_lookup_asks_for_first(name, counts):
    tree = PlannedTree(Device(MemoryTree({f"/certs/{name}": File(b"")})), {})
    assert has_hash_links(tree, "/certs") is counts


HASHED = {"/data/certs/own.pem": File(b""), "/data/certs/0000aaaa.0": Symlink("own.pem"), "/etc/ssl": Symlink("/data")}
RUN = {
    "/etc/ssl/certs/own.pem": Absent(),
    "/etc/ssl/certs/new.pem": File(b""),
    "/etc/ssl/certs/0000bbbb.0": Symlink("new.pem"),
}


@pytest.mark.parametrize(("directory", "found"), [("/etc/ssl/certs", True), ("/data/certs", True), ("/etc", False)])
def test_hash_links_of_the_tree_that_the_run_leaves(directory, found):
    assert has_hash_links(PlannedTree(Device(MemoryTree(HASHED)), RUN), directory) is found
    without = {path: node for path, node in RUN.items() if "bbbb" not in path}
    assert has_hash_links(PlannedTree(Device(MemoryTree(HASHED)), without), directory) is False
