"""Damages of hash directories, bundles and Java's stores."""

from __future__ import annotations

import os
import shutil

from rootfs_trust.store.checksum_files import checksum, checksum_file_of
from rootfs_trust.store.jks import keystore
from tests.support.authority import Authority
from tests.support.layout_trees import CREATED
from tests.unit.audit.damages.anchors import without_date
from tests.unit.audit.damages.damage import damage
from tests.unit.audit.good_tree import (
    BUNDLE,
    CA,
    CERTS,
    LOCAL,
    TWINS,
    GoodTree,
    hash_of,
    link_of,
)

JAVA = f"{CERTS}/java/cacerts"


@damage("hash-link-missing")
def a_hash_link_is_deleted(tree: GoodTree) -> None:
    tree.delete(link_of(CA))


@damage("output-missing", family="fedora")
def the_file_for_https_boot_is_emptied(tree: GoodTree) -> None:
    (tree.path / "etc/pki/ca-trust/extracted/edk2/cacerts.bin").chmod(0o644)
    tree.write("etc/pki/ca-trust/extracted/edk2/cacerts.bin", b"")


@damage("no-hash-links", "thin-edge-setting")
def nobody_has_run_rehash(tree: GoodTree) -> None:
    tree.delete(*tree.hash_links())


@damage("hash-link-gap")
def a_number_is_left_out(tree: GoodTree) -> None:
    (tree.path / link_of(TWINS[0], 1)).rename(tree.path / link_of(TWINS[0], 2))


@damage("hash-link-gap", "hash-link-missing")
def the_first_of_two_links_is_deleted(tree: GoodTree) -> None:
    tree.delete(link_of(TWINS[0]))


@damage("hash-link-wrong")
def a_link_has_the_hash_of_nobody(tree: GoodTree) -> None:
    tree.link(f"{CERTS}/deadbeef.0", "my-ca.pem")


@damage("hash-link-wrong")
def a_link_leads_to_a_directory(tree: GoodTree) -> None:
    tree.link(f"{CERTS}/deadbeef.0", "/usr")


@damage("hash-link-wrong", "hash-link-missing")
def a_file_has_new_content_and_keeps_its_link(tree: GoodTree) -> None:
    """As the distribution's tool leaves it. The old certificate is out of the bundle, too."""
    new = Authority("My new CA")
    tree.write(f"{LOCAL}/my-ca.crt", new.pem)
    tree.replace(BUNDLE, CA.pem, new.pem)


@damage("hash-link-dangling")
def a_hash_link_is_left_behind(tree: GoodTree) -> None:
    tree.link(f"{CERTS}/deadbeef.0", "gone.pem")


@damage("hash-link-name")
def a_hash_link_is_spelled_in_capitals(tree: GoodTree) -> None:
    tree.link(f"{CERTS}/ABCDEF01.0", "my-ca.pem")


@damage("hash-link-name")
def a_hash_link_has_a_number_with_zeros(tree: GoodTree) -> None:
    tree.link(f"{CERTS}/{hash_of(CA)}.007", "my-ca.pem")


@damage("hash-link-twice")
def a_certificate_has_two_links(tree: GoodTree) -> None:
    tree.link(link_of(CA, 1), "my-ca.pem")


@damage("dangling-link")
def a_link_is_left_behind(tree: GoodTree) -> None:
    tree.link(f"{CERTS}/gone.pem", f"/{LOCAL}/gone.crt")


@damage("dangling-link")
def a_link_leads_in_a_circle(tree: GoodTree) -> None:
    tree.link(f"{CERTS}/circle.pem", "circle.pem")


@damage("build-host-link")
def a_link_holds_the_path_of_the_build(tree: GoodTree) -> None:
    tree.delete(f"{CERTS}/my-ca.pem")
    tree.link(f"{CERTS}/my-ca.pem", f"/build/tmp/rootfs//{LOCAL}/my-ca.crt")


@damage("not-in-bundle")
def the_bundle_lacks_one(tree: GoodTree) -> None:
    tree.replace(BUNDLE, CA.pem, b"")


@damage("not-in-directory")
def the_directory_lacks_one(tree: GoodTree) -> None:
    tree.delete(link_of(CA), f"{CERTS}/my-ca.pem")


@damage("not-in-java", family="debian")
def javas_store_lacks_all_but_one(tree: GoodTree) -> None:
    tree.write(JAVA, keystore([("debian:my-ca.pem", CA.der)], CREATED))


@damage("java-store-unreadable", family="debian")
def javas_store_is_garbage(tree: GoodTree) -> None:
    tree.write(JAVA, b"garbage")


@damage("java-store-unreadable", family="debian")
def javas_store_is_cut_short(tree: GoodTree) -> None:
    tree.write(JAVA, tree.read(JAVA)[:-1])


@damage("java-refuses", "not-in-bundle", "not-in-directory", "unreadable-dates", "unsourced", family="debian")
def javas_store_has_the_last_certificate_of_its_kind(tree: GoodTree) -> None:
    """The certificate itself is exchanged for one without a date that makes sense."""
    without_date(tree)


@damage("not-in-bundle", "not-a-ca")
def a_servers_certificate_is_in_the_hash_directory(tree: GoodTree) -> None:
    """As Debian's ssl-cert puts it there."""
    server = Authority("box.local", ca=False)
    tree.write(f"{CERTS}/ssl-cert-snakeoil.pem", server.pem)
    tree.link(link_of(server), "ssl-cert-snakeoil.pem")


@damage("not-in-store")
def a_ca_is_copied_into_the_local_directory(tree: GoodTree) -> None:
    tree.write(f"{LOCAL}/other.crt", Authority("Other CA").pem)


@damage("bundle-empty")
def the_bundle_is_empty(tree: GoodTree) -> None:
    tree.write(BUNDLE, b"")


@damage("duplicate")
def the_bundle_holds_one_twice(tree: GoodTree) -> None:
    tree.append(BUNDLE, CA.pem)


@damage("checksum-stale")
def the_checksum_of_apko_is_of_other_content(tree: GoodTree) -> None:
    tree.write(checksum_file_of(BUNDLE), checksum(BUNDLE, b""))


@damage("bundle-of-one", "not-in-bundle")
def the_bundle_holds_one_alone(tree: GoodTree) -> None:
    tree.write(BUNDLE, CA.pem)


@damage("no-store", "thin-edge-setting")
def there_is_no_store(tree: GoodTree) -> None:
    for name in os.listdir(tree.path / CERTS):
        tree.delete(f"{CERTS}/{name}")
    (tree.path / CERTS).rmdir()


@damage("java-store-empty", family="debian")
def javas_store_has_no_entry(tree: GoodTree) -> None:
    tree.write(JAVA, keystore([], CREATED))


@damage("java-store-unreadable", family="debian")
def javas_store_is_a_link_to_the_bundle(tree: GoodTree) -> None:
    tree.delete(JAVA)
    tree.link(JAVA, f"/{BUNDLE}")


@damage("bundle-apart", family="alpine")
def a_bundle_of_its_own_lacks_one(tree: GoodTree) -> None:
    content = tree.read(BUNDLE).replace(CA.pem, b"")
    tree.delete("etc/ssl/cert.pem")
    tree.write("etc/ssl/cert.pem", content)


@damage("only-in-directory", family="fedora")
def a_ca_is_put_into_a_hash_directory_by_hand(tree: GoodTree) -> None:
    by_hand = Authority("By hand")
    tree.write("etc/pki/tls/certs/example.crt", by_hand.pem)
    tree.link(f"etc/pki/tls/certs/{hash_of(by_hand)}.0", "example.crt")


@damage("hash-link-file")
def a_file_has_the_name_of_a_hash_link(tree: GoodTree) -> None:
    tree.delete(link_of(CA))
    tree.write(link_of(CA), CA.pem)


@damage("output-missing")
def the_bundle_is_deleted(tree: GoodTree) -> None:
    tree.delete(BUNDLE)


@damage("output-missing", family="fedora")
def the_link_to_the_bundle_is_deleted(tree: GoodTree) -> None:
    tree.delete("etc/pki/tls/certs/ca-bundle.crt")


@damage("store-link-dangling", family="alpine")
def the_path_that_openssl_reads_is_a_dangling_link(tree: GoodTree) -> None:
    tree.delete("etc/ssl/cert.pem")
    tree.link("etc/ssl/cert.pem", "/gone/cert.pem")


@damage("store-wrong-type")
def the_bundle_is_a_directory(tree: GoodTree) -> None:
    tree.delete(BUNDLE)
    tree.directory(BUNDLE)


@damage("jdk-store-missing")
def a_jdk_has_a_link_to_a_store_that_is_not_there(tree: GoodTree) -> None:
    tree.link("opt/java/openjdk/lib/security/cacerts", "/etc/ssl/certs/java/cacerts")


@damage("application-store-empty", "certifi-store")
def a_copy_of_certifi_is_empty(tree: GoodTree) -> None:
    tree.write("opt/venv/lib/python3.12/site-packages/certifi/cacert.pem", b"")


@damage("output-missing", family="suse")
def the_way_to_the_hash_directory_is_gone(tree: GoodTree) -> None:
    """openSUSE's OpenSSL looks into /etc/ssl/certs, a link of the ca-certificates package."""
    tree.delete("etc/ssl/certs")


@damage("no-store", "store-link-dangling", family="debian", clouds=())
def the_store_is_a_link_to_nowhere(tree: GoodTree) -> None:
    shutil.rmtree(tree.path / CERTS)
    tree.link(CERTS, "/data/certs")


@damage("no-store", "store-wrong-type", family="debian", clouds=())
def a_file_is_in_place_of_the_hash_directory(tree: GoodTree) -> None:
    content = tree.read(BUNDLE)
    shutil.rmtree(tree.path / CERTS)
    tree.write(CERTS, content)


@damage("store-wrong-type", family="alpine")
def the_file_that_openssl_reads_is_a_directory(tree: GoodTree) -> None:
    tree.delete("etc/ssl/cert.pem")
    tree.directory("etc/ssl/cert.pem")


@damage("bundle-empty")
def the_bundle_has_comments_only(tree: GoodTree) -> None:
    tree.write(BUNDLE, b"# My CA\n# Twin CA\n")


@damage("java-store-unreadable", family="debian")
def javas_store_has_no_byte(tree: GoodTree) -> None:
    tree.write(JAVA, b"")


@damage("application-store-empty", "certifi-store")
def the_bundle_of_botocore_is_empty(tree: GoodTree) -> None:
    tree.write("usr/lib/python3/dist-packages/botocore/cacert.pem", b"")


# -- variables --------------------------------------------------------------------------------------------


@damage("environment-few-roots", family="debian")
def a_profile_takes_the_public_roots_away(tree: GoodTree) -> None:
    tree.write("opt/corp.pem", CA.pem)
    tree.write("etc/profile.d/corp.sh", b"export SSL_CERT_FILE=/opt/corp.pem\n")


@damage("environment-few-roots", family="debian")
def a_service_has_one_root_only(tree: GoodTree) -> None:
    tree.write("opt/corp.pem", CA.pem)
    tree.write("etc/systemd/system/app.service", b"[Service]\nEnvironment=REQUESTS_CA_BUNDLE=/opt/corp.pem\n")


@damage("environment-no-roots", family="debian")
def a_variable_names_a_file_that_is_gone(tree: GoodTree) -> None:
    tree.write("etc/environment", b"SSL_CERT_FILE=/opt/gone.pem\n")


@damage("environment-no-roots", family="debian")
def a_variable_names_an_empty_file(tree: GoodTree) -> None:
    tree.write("opt/empty.pem", b"")
    tree.write("etc/environment", b"CURL_CA_BUNDLE=/opt/empty.pem\n")


@damage("environment-no-roots", family="debian")
def a_variable_for_a_file_names_a_directory(tree: GoodTree) -> None:
    tree.directory("opt/certs")
    tree.write("etc/profile.d/requests.sh", b"export REQUESTS_CA_BUNDLE=/opt/certs\n")


@damage("environment-no-roots", family="debian")
def a_variable_names_an_empty_directory(tree: GoodTree) -> None:
    tree.directory("opt/certs")
    tree.write("etc/environment", b"SSL_CERT_DIR=/opt/certs:/opt/gone\n")


@damage("environment-no-roots", family="debian")
def a_service_gets_its_bundle_at_run_time(tree: GoodTree) -> None:
    tree.write("etc/environment", b"SSL_CERT_FILE=/run/certs/bundle.pem\n")
