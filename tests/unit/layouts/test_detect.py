"""Which layout a rootfs is taken for: by what stands in it first, then by its os-release; --layout names one."""

from __future__ import annotations

import pytest

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.remove import remove
from rootfs_trust.errors import InputError
from rootfs_trust.layouts import BUNDLES, LAYOUTS
from rootfs_trust.layouts.detect import find_layout
from rootfs_trust.layouts.without_p11kit import DEBIANS
from rootfs_trust.rootfs.device import Device
from tests.support.command import rootfs_trust
from tests.support.debian_tree import snapshot
from tests.support.memory import Directory, File, MemoryTree, Symlink

DIRECTORY = Directory()
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
SHIPPED = "/usr/share/ca-certificates/mozilla/Root.crt"
CERTIFICATE = File(b"-----BEGIN CERTIFICATE-----\n")


def release(text: str) -> dict[str, File]:
    return {"/etc/os-release": File(text.encode())}


def found(*parts: dict) -> str:
    entries: dict = {}
    for part in parts:
        entries |= part
    return find_layout(Device(MemoryTree(entries))).name


def files(*paths: str) -> dict[str, File]:
    return {path: CERTIFICATE for path in paths}


def directories(*paths: str) -> dict[str, Directory]:
    return {path: DIRECTORY for path in paths}


FEATURES = {
    **{layout.name: files(layout.signs[0], SHIPPED) for layout in DEBIANS},
    "debian": directories("/var/lib/dpkg") | files(SHIPPED),
    "yocto": directories("/usr/lib/ssl-3") | files(SHIPPED),
    "alpine": directories("/lib/apk/db") | files(SHIPPED),
    "fedora": directories("/etc/pki/ca-trust/source/anchors"),
    "suse": directories("/usr/share/pki/trust"),
    "arch": directories("/usr/share/ca-certificates/trust-source"),
    "openwrt": files("/etc/openwrt_release"),
    "bundle-only": files(BUNDLE),
}
"""What alone shows a layout, os-release or not."""


# -- by features -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FEATURES)
def test_features_show_the_layout_without_an_os_release(name: str) -> None:
    assert found(FEATURES[name]) == name


@pytest.mark.parametrize("said", ["ID=debian", "ID=fedora", "ID=acme", "ID=acme\nID_LIKE=arch"])
@pytest.mark.parametrize("name", FEATURES)
def test_features_count_for_more_than_an_os_release(name: str, said: str) -> None:
    assert found(FEATURES[name], release(said)) == name


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("debian", directories("/var/lib/dpkg") | files(SHIPPED)),
        ("alpine", files("/etc/alpine-release", SHIPPED)),
        ("alpine", {"/lib": Symlink("usr/lib")} | directories("/usr/lib/apk/db") | files(SHIPPED)),
        ("yocto", directories("/var/lib/opkg") | files(SHIPPED)),
        ("yocto", {"/usr/sbin/update-ca-certificates": File(b"#!/bin/sh -e\nFSROOT=../../../\n")}),
        ("fedora", directories("/usr/share/pki/ca-trust-source")),
        ("suse", directories("/etc/pki/trust/anchors")),
        ("arch", directories("/etc/ca-certificates/trust-source/anchors")),
    ],
)
def test_other_features_of_the_same_layouts(name: str, entries: dict) -> None:
    assert found(entries) == name


def test_a_yocto_product_has_its_own_id_and_no_id_like() -> None:
    says = release('ID=acme-gateway\nNAME="ACME gateway"\nVERSION_ID=5.0\n')
    script = {"/usr/sbin/update-ca-certificates": File(b"#!/bin/sh -e\nFSROOT=../../../ # to get to the root\n")}
    assert found(says, script, files(SHIPPED), directories("/var/lib/rpm")) == "yocto"
    assert found(says, files(SHIPPED), directories("/usr/lib/ssl-3", "/var/lib/dpkg")) == "yocto", "packages as .deb"
    assert found(says, files(SHIPPED), directories("/var/lib/opkg")) == "yocto"


def test_debians_own_script_is_not_taken_for_oes() -> None:
    script = {"/usr/sbin/update-ca-certificates": File(b"#!/bin/sh -e\nCERTSDIR=/usr/share/ca-certificates\n")}
    assert found(script, directories("/var/lib/dpkg"), files(SHIPPED)) == "debian"


def test_arch_keeps_its_sources_below_a_directory_that_debian_has_too() -> None:
    sources = "/usr/share/ca-certificates/trust-source/mozilla.trust.p11-kit"
    assert found(release("ID=endeavouros"), {sources: File(b"")}, files(BUNDLE)) == "arch"


@pytest.mark.parametrize("said", ["", "ID=debian"])
def test_debian_packages_unpacked_and_never_configured(said: str) -> None:
    """No os-release, no list, an empty store (mmdebstrap --variant=extract)."""
    assert (
        found(release(said) if said else {}, directories("/var/lib/dpkg", "/etc/ssl/certs"), files(SHIPPED)) == "debian"
    )


# -- a bundle and nothing else -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "entries"),
    [
        ("distroless", release('PRETTY_NAME="Distroless"\nID="debian"') | directories("/var/lib/dpkg/status.d")),
        ("Wolfi's ca-certificates-bundle", release("ID=wolfi") | directories("/lib/apk/db")),
        ("Alpine's ca-certificates-bundle", release("ID=alpine") | files("/etc/alpine-release")),
        ("scratch", {}),
        ("scratch with a local folder", directories("/usr/local/share/ca-certificates")),
    ],
)
def test_a_tree_that_has_only_a_bundle(what: str, entries: dict) -> None:
    assert found(entries, files(BUNDLE)) == "bundle-only", what


@pytest.mark.parametrize("path", [path for path in BUNDLES if not path.startswith("/usr/lib/ssl-3/")])
def test_the_bundle_is_edited_where_it_is(path: str) -> None:
    assert find_layout(Device(MemoryTree(files(path)))).bundle == path


def test_the_bundle_behind_a_link_is_edited_itself() -> None:
    view = MemoryTree({"/etc/ssl/cert.pem": Symlink("/opt/store/bundle.pem"), **files("/opt/store/bundle.pem")})
    assert find_layout(Device(view)).bundle == "/opt/store/bundle.pem"


def test_a_bundle_named_by_hand_is_also_looked_for() -> None:
    view = MemoryTree(files("/etc/ssl/ca-bundle.pem"))
    assert find_layout(Device(view), "bundle-only").bundle == "/etc/ssl/ca-bundle.pem"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("debian", files(SHIPPED)),
        ("debian", files("/etc/ca-certificates.conf")),
        ("debian", files("/usr/local/share/ca-certificates/mine.crt")),
    ],
)
def test_with_any_source_it_is_not_the_bundle_only_layout(name: str, source: dict) -> None:
    assert found(release("ID=debian"), files(BUNDLE), source) == name


def test_wolfi_with_the_whole_package_is_as_alpine() -> None:
    assert found(release("ID=wolfi"), directories("/lib/apk/db"), files(SHIPPED, BUNDLE)) == "alpine"


def test_openwrt_with_a_bundle_alone_is_openwrt() -> None:
    assert found(release('ID="openwrt"'), files("/etc/openwrt_release", BUNDLE)) == "openwrt"


# -- by os-release -----------------------------------------------------------------------------------------

IDS = {
    **{word: layout.name for layout in DEBIANS for word in layout.ids},
    "debian": "debian",
    "ubuntu": "debian",
    "raspbian": "debian",
    "poky": "yocto",
    "nodistro": "yocto",
    "alpine": "alpine",
    "wolfi": "alpine",
    "chainguard": "alpine",
    "fedora": "fedora",
    "rhel": "fedora",
    "centos": "fedora",
    "amzn": "fedora",
    "azurelinux": "fedora",
    "mariner": "fedora",
    "opensuse-tumbleweed\nID_LIKE='opensuse suse'": "suse",
    "sles\nID_LIKE=suse": "suse",
    "arch": "arch",
    "buildroot": "buildroot",
    "openwrt": "openwrt",
    "photon": "photon",
    'linuxmint\nID_LIKE="ubuntu debian"': "debian",
    'rocky\nID_LIKE="rhel centos fedora"': "fedora",
    'almalinux\nID_LIKE="rhel centos fedora"': "fedora",
    "manjaro\nID_LIKE=arch": "arch",
    'immortalwrt\nID_LIKE="lede openwrt"': "openwrt",
}


@pytest.mark.parametrize("said", IDS, ids=lambda said: said.partition("\n")[0])
@pytest.mark.parametrize("place", ["/etc/os-release", "/usr/lib/os-release"])
def test_without_features_the_os_release_tells(said: str, place: str) -> None:
    assert found({place: File(f"NAME=x\nID={said}\n".encode())}) == IDS[said]


def test_its_own_id_comes_before_those_it_is_like() -> None:
    assert found(release('ID=raspbian\nID_LIKE="fedora"')) == "debian"


def test_buildroot_is_reported_by_its_os_release_alone() -> None:
    assert found(release("ID=buildroot"), files(SHIPPED, BUNDLE)) == "buildroot"


def test_assignments_of_an_os_release() -> None:
    text = "# a comment\nID=\"de'b\"\n\n NAME = 'two words' \nnonsense\nBUG=a=b\n"
    assert Device(MemoryTree(release(text))).os_release == {"ID": "de'b", "NAME": "two words", "BUG": "a=b"}
    both = {**release("ID=one"), "/usr/lib/os-release": File(b"ID=two")}
    assert Device(MemoryTree(both)).os_release == {"ID": "one"}
    linked = {"/etc/os-release": Symlink("../usr/lib/os-release"), "/usr/lib/os-release": File(b"ID=two")}
    assert Device(MemoryTree(linked)).os_release == {"ID": "two"}
    assert Device(MemoryTree({})).os_release == {}
    assert Device(MemoryTree({"/etc/os-release": File(b"ID=\xff\xfe\n")})).os_release["ID"]


@pytest.mark.parametrize(
    ("said", "setting"), [("ID=bottlerocket", "settings.pki.NAME.data"), ("ID=talos", "TrustedRootsConfig")]
)
def test_a_system_that_makes_its_store_at_boot_is_refused_with_the_setting_to_use(said: str, setting: str) -> None:
    tree = Device(MemoryTree(release(said) | files("/etc/pki/tls/certs/ca-bundle.crt", BUNDLE)))
    with pytest.raises(InputError) as refused:
        find_layout(tree)
    assert setting in refused.value.problems[0].hint
    assert find_layout(tree, "bundle-only").name == "bundle-only"


# -- named, or unknown -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_that_is_named_counts_for_more_than_all_of_that(name: str) -> None:
    assert find_layout(Device(MemoryTree(FEATURES["fedora"] | release("ID=arch"))), name).name == name


def test_no_layout_has_that_name() -> None:
    with pytest.raises(InputError) as refused:
        find_layout(Device(MemoryTree(FEATURES["debian"])), "exherbo")
    assert all(name in str(refused.value) for name in ("exherbo", *LAYOUTS))


@pytest.mark.parametrize(
    ("entries", "told"),
    [({}, "no os-release"), (release("ID=exherbo"), "ID=exherbo"), (release("NAME=x"), "no os-release with an ID")],
)
def test_a_tree_that_nothing_is_known_of(entries: dict, told: str) -> None:
    with pytest.raises(InputError) as refused:
        find_layout(Device(MemoryTree(entries)))
    (problem,) = refused.value.problems
    assert refused.value.exit_status == 2
    assert told in problem.message
    assert all(name in problem.hint for name in ("--layout", *LAYOUTS))


def test_the_commands_refuse_it_with_2_and_list_the_layouts(tmp_path) -> None:
    (tmp_path / "etc").mkdir()
    before = snapshot(tmp_path)
    done = rootfs_trust("install", "--root", tmp_path)
    assert done.returncode == 2
    assert all(name in done.stderr.decode() for name in LAYOUTS)
    for run in (install, lambda root: remove(root, ["x"])):
        with pytest.raises(InputError):
            run(str(tmp_path))
    assert snapshot(tmp_path) == before
    assert install(str(tmp_path), InstallOptions(layout="debian")).layout == "debian"
