"""Sources, rights, applications, and a device's state."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rootfs_trust.store.jks import keystore
from tests.support.authority import Authority
from tests.support.layout_trees import ALPHA, CREATED, shipped_authority
from tests.unit.audit.damages.damage import damage
from tests.unit.audit.good_tree import (
    BUNDLE,
    CA,
    CERTS,
    CONF,
    LOCAL,
    TEDGE,
    TWINS,
    GoodTree,
    hash_of,
)


@damage("unsourced", "not-in-directory")
def a_ca_is_pasted_into_the_bundle(tree: GoodTree) -> None:
    tree.append(BUNDLE, Authority("Pasted CA").pem)


@damage("unsourced", "dangling-link")
def a_local_source_is_deleted(tree: GoodTree) -> None:
    tree.delete(f"{LOCAL}/my-ca.crt")


@damage("source-missing")
def the_list_names_a_file_that_is_gone(tree: GoodTree) -> None:
    tree.append(CONF, b"mozilla/Gone.crt\n")


@damage("distrusted-yet-trusted")
def a_line_of_the_list_is_crossed_out(tree: GoodTree) -> None:
    tree.replace(CONF, b"mozilla/Alpha_Root.crt", b"!mozilla/Alpha_Root.crt")


@damage("distrusted-yet-trusted", config=f'[store]\ndistrust = ["sha256:{CA.sha256}"]')
def the_config_distrusts_one(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("conf-last-line")
def the_list_has_no_last_newline(tree: GoodTree) -> None:
    tree.write(CONF, tree.read(CONF).rstrip(b"\n"))


@damage("conf-crlf")
def the_list_was_saved_on_windows(tree: GoodTree) -> None:
    tree.write(CONF, tree.read(CONF).replace(b"\n", b"\r\n"))


@damage("conf-missing", family="debian")
def the_list_is_not_there(tree: GoodTree) -> None:
    tree.write("usr/sbin/update-ca-certificates", b"#!/bin/sh\n")
    tree.delete(CONF)


def with_the_tool(tree: GoodTree) -> None:
    tree.write("usr/sbin/update-ca-certificates", b"#!/bin/sh\n")
    tree.delete(CONF)


@damage("conf-missing", family="debian")
def the_list_is_empty(tree: GoodTree) -> None:
    with_the_tool(tree)
    tree.write(CONF, b"# nothing\n")


@damage("conf-missing", family="debian")
def the_list_is_a_directory(tree: GoodTree) -> None:
    with_the_tool(tree)
    tree.directory(CONF)


@damage("conf-missing", family="debian")
def the_list_is_a_dangling_link(tree: GoodTree) -> None:
    with_the_tool(tree)
    tree.link(CONF, "/data/ca-certificates.conf")


@damage("conf-crlf")
def the_list_with_a_crossed_out_line_was_saved_on_windows(tree: GoodTree) -> None:
    lines = tree.read(CONF).replace(b"mozilla/Alpha", b"!mozilla/Alpha")
    tree.write(CONF, lines.replace(b"\n", b"\r\n"))


@damage("source-not-a-directory", "dangling-link", "unsourced", family="debian")
def the_local_directory_is_a_link_out_of_the_tree(tree: GoodTree) -> None:
    outside = beside(tree, "outside")
    shutil.copytree(tree.path / LOCAL, outside)
    shutil.rmtree(tree.path / LOCAL)
    tree.link(LOCAL, str(outside))


@damage("ignored-source")
def a_local_source_has_another_suffix(tree: GoodTree) -> None:
    tree.write(f"{LOCAL}/other.pem", Authority("Other CA").pem)


@damage("name-clash")
def two_local_sources_have_one_name(tree: GoodTree) -> None:
    tree.write(f"{LOCAL}/site/my-ca.crt", CA.pem)


@damage("deferred-postinst")
def the_package_is_configured_at_the_first_boot(tree: GoodTree) -> None:
    tree.write("etc/rpm-postinsts/100-ca-certificates", b"#!/bin/sh\n")


@damage("deferred-postinst", family="debian")
def the_package_was_unpacked_and_not_configured(tree: GoodTree) -> None:
    tree.write("var/lib/dpkg/status", b"Package: ca-certificates\nStatus: install ok unpacked\nVersion: 1\n")


@damage("leftover-bundle")
def the_devices_tool_was_killed(tree: GoodTree) -> None:
    tree.write(f"{BUNDLE}.new", b"")


@damage("store-unreadable")
def the_bundle_is_for_root_alone(tree: GoodTree) -> None:
    (tree.path / BUNDLE).chmod(0o600)


@damage("store-unreadable", "thin-edge-unreadable")
def the_directory_is_for_root_alone(tree: GoodTree) -> None:
    (tree.path / CERTS).chmod(0o700)


@damage("store-unreadable")
def the_local_directory_is_for_root_alone(tree: GoodTree) -> None:
    (tree.path / LOCAL).chmod(0o700)


@damage("store-writable")
def everybody_may_write_the_bundle(tree: GoodTree) -> None:
    (tree.path / BUNDLE).chmod(0o666)


@damage("store-writable")
def everybody_may_write_to_the_local_directory(tree: GoodTree) -> None:
    (tree.path / LOCAL).chmod(0o777)


@damage("certifi-store")
def a_python_brings_certifi(tree: GoodTree) -> None:
    tree.write("usr/lib/python3.12/site-packages/certifi/cacert.pem", shipped_authority(ALPHA).pem)


@damage("forbidden", policy=f'forbid = ["{CA.sha256}"]')
def a_python_brings_what_is_forbidden(tree: GoodTree) -> None:
    certs = [CA.pem, *(twin.pem for twin in TWINS)]
    tree.write("opt/venv/lib/python3.12/site-packages/certifi/cacert.pem", b"".join(certs))


@damage("jdk-store")
def a_jdk_brings_a_store(tree: GoodTree) -> None:
    store = keystore([("alpha", shipped_authority(ALPHA).der)], CREATED)
    tree.write("usr/lib/jvm/jdk-21/lib/security/cacerts", store)


@damage("node-store")
def node_goes_by_its_own_roots(tree: GoodTree) -> None:
    tree.write("usr/bin/node", b"")


@damage("castore-store")
def a_program_of_elixir_brings_castore(tree: GoodTree) -> None:
    tree.write("app/lib/castore-1.0.5/priv/cacerts.pem", shipped_authority(ALPHA).pem)


@damage("mono-store")
def mono_has_a_machine_store(tree: GoodTree) -> None:
    tree.write("usr/bin/mono", b"")


@damage("browser-store")
def chromium_has_no_policy(tree: GoodTree) -> None:
    tree.write("usr/bin/chromium", b"")


@damage("browser-store")
def firefox_has_no_policy(tree: GoodTree) -> None:
    tree.write("usr/lib/firefox-esr/firefox-esr", b"")


@damage("node-extra-certs", "node-store")
def node_is_given_a_file_that_is_not_there(tree: GoodTree) -> None:
    tree.write("usr/bin/node", b"")
    tree.write("etc/environment", b"NODE_EXTRA_CA_CERTS=/etc/gone.pem\n")


@damage("unreadable")
def a_file_is_larger_than_any_store(tree: GoodTree) -> None:
    with open(tree.path / CERTS / "core.pem", "wb") as file:
        file.truncate(65 << 20)


def beside(tree: GoodTree, name: str) -> Path:
    return tree.path.parent / name


@damage("state-shadows-store", asked={"states": ["overlay:/etc={}/upper"]})
def an_overlay_has_an_old_bundle(tree: GoodTree) -> None:
    (beside(tree, "upper") / "ssl/certs").mkdir(parents=True)
    (beside(tree, "upper") / "ssl/certs/ca-certificates.crt").write_bytes(tree.read(BUNDLE) + b"\n")


@damage("state-shadows-settings", asked={"states": ["copy:/etc/tedge={}/old"]})
def an_update_copies_old_settings_over(tree: GoodTree) -> None:
    beside(tree, "old").mkdir()
    (beside(tree, "old") / "tedge.toml").write_bytes(tree.read(TEDGE) + b"# old\n")


@damage("unsourced")
def a_ca_is_pasted_into_bundle_and_hash_directory(tree: GoodTree) -> None:
    pasted = Authority("Pasted twice")
    tree.write(f"{CERTS}/pasted.pem", pasted.pem)
    tree.link(f"{CERTS}/{hash_of(pasted)}.0", "pasted.pem")
    tree.append(BUNDLE, pasted.pem)


@damage("source-not-a-directory", "unsourced", "dangling-link")
def the_local_directory_is_a_file(tree: GoodTree) -> None:
    for path in (tree.path / LOCAL).iterdir():
        path.unlink()
    (tree.path / LOCAL).rmdir()
    tree.write(LOCAL, CA.pem)


@damage("source-not-a-directory", family="suse")
def the_anchors_directory_is_a_dangling_link(tree: GoodTree) -> None:
    (tree.path / "usr/share/pki/trust/anchors").rmdir()
    tree.link("usr/share/pki/trust/anchors", "/gone")


@damage("dangling-source")
def a_local_source_is_a_dangling_link(tree: GoodTree) -> None:
    tree.link(f"{LOCAL}/site.crt", "/mnt/secrets/site.crt")


@damage("dangling-source")
def a_local_source_points_to_itself(tree: GoodTree) -> None:
    tree.link(f"{LOCAL}/loop.crt", "loop.crt")


@damage("source-not-a-file")
def a_local_source_is_a_fifo(tree: GoodTree) -> None:
    os.mkfifo(tree.path / LOCAL / "pipe.crt")


@damage("distrusted-yet-trusted")
def a_line_lists_what_another_crosses_out(tree: GoodTree) -> None:
    tree.append(CONF, b"!mozilla/Alpha_Root.crt\n")


@damage("distrusted-yet-trusted", family="fedora")
def an_installed_anchor_is_put_on_the_blocklist(tree: GoodTree) -> None:
    tree.write("etc/pki/ca-trust/source/blocklist/no.pem", CA.pem)


@damage("store-unreadable", family="fedora")
def a_source_of_p11_kit_is_readable_for_root_only(tree: GoodTree) -> None:
    (tree.path / "etc/pki/ca-trust/source/anchors/my-ca.crt").chmod(0)


@damage("output-missing", family="alpine")
def alpines_link_to_the_bundle_is_deleted(tree: GoodTree) -> None:
    tree.delete("etc/ssl/cert.pem")


@damage("unlisted-source")
def a_certificate_beside_the_shipped_ones_is_not_listed(tree: GoodTree) -> None:
    tree.write("usr/share/ca-certificates/site/site.crt", Authority("Site CA").pem)


@damage("unlisted-source")
def a_package_brought_one_that_is_not_listed(tree: GoodTree) -> None:
    tree.write("usr/share/ca-certificates/mozilla/New_Root.crt", Authority("New Root").pem)


@damage("no-certificate", family="fedora")
def a_source_of_p11_kit_is_empty(tree: GoodTree) -> None:
    tree.write("etc/pki/ca-trust/source/anchors/tls-ca-bundle.pem", b"")


@damage("distrust-unmatched", policy=f'forbid = ["{"0" * 64}"]')
def what_is_forbidden_is_nowhere(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("distrust-unmatched", config=f'[store]\ndistrust = ["sha256:{"0" * 64}"]')
def what_is_distrusted_is_nowhere(tree: GoodTree) -> None:
    """Nothing is done."""
