"""Settings of thin-edge.io."""

from __future__ import annotations

import os

from tests.unit.audit.damages.damage import damage
from tests.unit.audit.good_tree import (
    BUNDLE,
    CA,
    CERTS,
    LOCAL,
    TEDGE,
    GoodTree,
    hash_of,
)

SETTING = b'root_cert_path = "/etc/ssl/certs"'


@damage("thin-edge-setting")
def a_setting_points_nowhere(tree: GoodTree) -> None:
    tree.replace(TEDGE, SETTING, b'root_cert_path = "/etc/gone"')


@damage("thin-edge-setting")
def a_setting_points_at_an_empty_file(tree: GoodTree) -> None:
    tree.write("etc/tedge/ca.pem", b"")
    tree.replace(TEDGE, SETTING, b'root_cert_path = "/etc/tedge/ca.pem"')


@damage("thin-edge-setting")
def a_setting_points_at_a_directory_without_links(tree: GoodTree) -> None:
    tree.replace(TEDGE, SETTING, f'root_cert_path = "/{LOCAL}"'.encode())


@damage("thin-edge-setting")
def a_setting_points_at_a_file_where_a_directory_is_needed(tree: GoodTree) -> None:
    tree.append(TEDGE, f'\n[http]\nca_path = "/{BUNDLE}"\n'.encode())


@damage("thin-edge-setting", family="bundle-only", clouds=())
def the_default_is_of_no_use(tree: GoodTree) -> None:
    """A cloud without a setting goes by /etc/ssl/certs, which has a bundle and no links here."""
    tree.write(TEDGE, b'[config]\nversion = "2"\n[c8y]\nurl = "x.example"\n')


@damage("thin-edge-setting", family="bundle-only", clouds=())
def the_default_of_a_profile_is_of_no_use(tree: GoodTree) -> None:
    tree.write(TEDGE, b'[config]\nversion = "2"\n[c8y.profiles.edge]\nurl = "x.example"\n')


@damage("thin-edge-setting", clouds=())
def a_mapper_of_the_user_names_a_file_that_is_not_there(tree: GoodTree) -> None:
    tree.write("etc/tedge/mappers/mine/mapper.toml", b'[device]\nroot_cert_path = "ca.pem"\n')


@damage("thin-edge-unreadable")
def mosquitto_may_not_read_a_directory(tree: GoodTree) -> None:
    tree.write("data/ca.pem", CA.pem)
    (tree.path / "data").chmod(0o700)
    tree.replace(TEDGE, SETTING, b'root_cert_path = "/data/ca.pem"')


@damage("thin-edge-name")
def a_name_is_not_utf_8(tree: GoodTree) -> None:
    with open(os.path.join(os.fsencode(tree.path / CERTS), b"M\xfcller.txt"), "wb"):
        pass


@damage("client-cannot-read")
def a_malformed_file_spoils_a_separate_directory(tree: GoodTree) -> None:
    tree.write("data/ca.pem", CA.pem)
    tree.write("data/notes.txt", b"-----BEGIN CERTIFICATE-----\n")
    tree.link(f"data/{hash_of(CA)}.0", "ca.pem")
    tree.replace(TEDGE, SETTING, b'root_cert_path = "/data"')


@damage("thin-edge-both")
def both_forms_of_settings(tree: GoodTree) -> None:
    tree.write("etc/tedge/mappers/c8y/mapper.toml", b'cloud_type = "c8y"\nroot_cert_path = "/etc/ssl/certs"\n')


@damage("thin-edge-toml")
def the_settings_are_not_toml(tree: GoodTree) -> None:
    tree.append(TEDGE, b"= 1\n")


@damage("thin-edge-toml")
def the_version_is_a_number(tree: GoodTree) -> None:
    tree.replace(TEDGE, b'version = "2"', b"version = 2")


@damage("thin-edge-version")
def the_version_is_missing(tree: GoodTree) -> None:
    tree.replace(TEDGE, b'version = "2"', b"")


@damage("proxy-ca-path", clouds=("aws",))
def the_proxy_is_given_cas(tree: GoodTree) -> None:
    tree.append(TEDGE, b'\n[c8y.proxy]\nca_path = "/etc/ssl/certs"\n')
