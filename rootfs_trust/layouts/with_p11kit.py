"""Distributions whose tool is p11-kit's ``trust extract``, called by a script."""

from __future__ import annotations

from rootfs_trust.layouts.layout import EVERY_FILE, OPENSSL_PROBE, P11KIT, ClientPaths, Layout
from rootfs_trust.layouts.tools import ExtractedBundle, ExtractedHashDirectory, Mirror, TrustExtract
from rootfs_trust.x509.oids import CODE_SIGNING, EMAIL, SERVER_AUTH

_FEDORA = "/etc/pki/ca-trust/extracted"
_FEDORA_TOKENS = ("/etc/pki/ca-trust/source", "/usr/share/pki/ca-trust-source")

FEDORA = Layout(
    name="fedora",
    title="Fedora, RHEL, CentOS Stream, Rocky, AlmaLinux, Amazon Linux, Azure Linux",
    ids=("fedora", "rhel", "centos", "amzn", "azurelinux", "mariner"),
    releases="Fedora 38 to 44, RHEL 7 to 10 and derivatives, Amazon Linux 2 and 2023, Azure Linux 2 (Mariner) and 3",
    facts=(
        "update-ca-trust(8) of ca-certificates: its calls of trust extract, in their order",
        "p11-kit 0.26.4, trust/: formats, modes, names; compared with trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths /etc/pki/ca-trust/source:/usr/share/pki/ca-trust-source",
        "microsoft/azurelinux 8bc6caa8b9, SPECS/ca-certificates: update-ca-trust writes no directory-hash; outputs "
        "that the rootfs's own update-ca-trust does not name are not written",
    ),
    local=f"{_FEDORA_TOKENS[0]}/anchors",
    bundle=f"{_FEDORA}/pem/tls-ca-bundle.pem",
    hash_directory=f"{_FEDORA}/pem/directory-hash",
    links=(
        ("/etc/pki/tls/cert.pem", f"{_FEDORA}/pem/tls-ca-bundle.pem"),
        ("/etc/pki/tls/certs/ca-bundle.crt", f"{_FEDORA}/pem/tls-ca-bundle.pem"),
        ("/etc/pki/tls/certs/ca-bundle.trust.crt", f"{_FEDORA}/openssl/ca-bundle.trust.crt"),
        ("/etc/pki/java/cacerts", f"{_FEDORA}/java/cacerts"),
        ("/etc/ssl/certs", "/etc/pki/tls/certs"),
    ),
    tool=TrustExtract(
        tokens=_FEDORA_TOKENS,
        bundles=(
            ExtractedBundle(f"{_FEDORA}/openssl/ca-bundle.trust.crt", "openssl", everything=True, comment=True),
            ExtractedBundle(f"{_FEDORA}/pem/tls-ca-bundle.pem", "pem", SERVER_AUTH, comment=True),
            ExtractedBundle(f"{_FEDORA}/pem/email-ca-bundle.pem", "pem", EMAIL, comment=True),
            ExtractedBundle(f"{_FEDORA}/pem/objsign-ca-bundle.pem", "pem", CODE_SIGNING, comment=True),
            ExtractedBundle(f"{_FEDORA}/java/cacerts", "java", SERVER_AUTH),
            ExtractedBundle(f"{_FEDORA}/edk2/cacerts.bin", "edk2", SERVER_AUTH),
        ),
        directories=(
            ExtractedHashDirectory(
                f"{_FEDORA}/pem/directory-hash",
                purpose=SERVER_AUTH,
                extra=(("ca-certificates.crt", "../tls-ca-bundle.pem"), ("ca-bundle.crt", "../tls-ca-bundle.pem")),
            ),
        ),
        mirror=Mirror("/etc/pki/tls/certs", "../../ca-trust/extracted/pem/directory-hash/", as_found=True),
    ),
    clients=ClientPaths(
        openssl_file=(
            "/etc/pki/tls/cert.pem",
            f"{_FEDORA}/pem/tls-ca-bundle.pem",
            "/etc/pki/tls/certs/ca-bundle.crt",
        ),
        openssl_directory=("/etc/pki/tls/certs", f"{_FEDORA}/pem/directory-hash"),
        gnutls_way=P11KIT,
        gnutls=_FEDORA_TOKENS,
        source=f"gnutls.spec (--with-default-trust-store-pkcs11); {OPENSSL_PROBE}",
    ),
)

_SUSE = "/var/lib/ca-certificates"
_SUSE_TOKENS = ("/etc/pki/trust", "/usr/share/pki/trust")
_SUSE_HEADER = b"""\
#
# automatically created by /usr/lib/ca-certificates/update.d/99certbundle.run. Do not edit!
#
# Use of this file is deprecated and should only be used as last
# resort by applications that do not support p11-kit or reading /etc/ssl/certs.
# You should avoid hardcoding any paths in applications anyways though. Use
# functions that know the operating system defaults instead:
#
# - openssl: SSL_CTX_set_default_verify_paths()
# - gnutls: gnutls_certificate_set_x509_system_trust(cred)
#
"""
"""The header that 99certbundle.run, a shell script, writes with `cat`; the mode is therefore 0644."""

SUSE = Layout(
    name="suse",
    title="openSUSE, SUSE Linux Enterprise",
    ids=("suse", "opensuse", "sles"),
    releases="SLE 15 and 16, openSUSE Leap 15 and 16, Tumbleweed",
    facts=(
        "update-ca-certificates(8) of openSUSE's ca-certificates and its hooks 50java, 70openssl, 80etc_ssl, "
        "99certbundle: which output holds which purposes is in its README",
        "p11-kit 0.26.4, trust/: formats, modes, names; compared with trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths /etc/pki/trust:/usr/share/pki/trust",
    ),
    local=f"{_SUSE_TOKENS[0]}/anchors",
    bundle=f"{_SUSE}/ca-bundle.pem",
    hash_directory=f"{_SUSE}/pem",
    links=(
        ("/etc/ssl/certs", "../../var/lib/ca-certificates/pem"),
        ("/etc/ssl/ca-bundle.pem", "../../var/lib/ca-certificates/ca-bundle.pem"),
    ),
    tool=TrustExtract(
        tokens=_SUSE_TOKENS,
        bundles=(
            ExtractedBundle(f"{_SUSE}/java-cacerts", "java", SERVER_AUTH),
            ExtractedBundle(f"{_SUSE}/ca-bundle.pem", "pem", SERVER_AUTH, header=_SUSE_HEADER, mode=0o644),
        ),
        directories=(
            ExtractedHashDirectory(f"{_SUSE}/openssl", trusted=True),
            ExtractedHashDirectory(f"{_SUSE}/pem", purpose=SERVER_AUTH),
        ),
    ),
    clients=ClientPaths(
        openssl_file=(f"{_SUSE}/ca-bundle.pem", "/etc/ssl/ca-bundle.pem"),
        openssl_directory=(f"{_SUSE}/openssl", "/etc/ssl/certs"),
        gnutls_way=EVERY_FILE,
        gnutls=(f"{_SUSE}/pem",),
        source=f"gnutls.spec (--with-default-trust-store-dir=/var/lib/ca-certificates/pem); {OPENSSL_PROBE}",
    ),
)

_ARCH = "/etc/ca-certificates/extracted"
_ARCH_TOKENS = ("/etc/ca-certificates/trust-source", "/usr/share/ca-certificates/trust-source")

ARCH = Layout(
    name="arch",
    title="Arch Linux and derivatives",
    ids=("arch",),
    releases="Arch Linux of 2024 to 2026",
    facts=(
        "update-ca-trust(8) of ca-certificates-utils, as read in eweOS's fork of it",
        "p11-kit 0.26.4, trust/: formats, modes, names; compared with trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths "
        "/etc/ca-certificates/trust-source:/usr/share/ca-certificates/trust-source",
    ),
    local=f"{_ARCH_TOKENS[0]}/anchors",
    bundle=f"{_ARCH}/tls-ca-bundle.pem",
    links=(
        ("/etc/ssl/cert.pem", "../ca-certificates/extracted/tls-ca-bundle.pem"),
        ("/etc/ssl/certs/ca-certificates.crt", "../../ca-certificates/extracted/tls-ca-bundle.pem"),
        ("/etc/ssl/certs/java/cacerts", "../../../ca-certificates/extracted/java-cacerts.jks"),
        ("/etc/ssl/certs/edk2/cacerts.bin", "../../../ca-certificates/extracted/edk2-cacerts.bin"),
    ),
    tool=TrustExtract(
        tokens=_ARCH_TOKENS,
        bundles=(
            ExtractedBundle(f"{_ARCH}/ca-bundle.trust.crt", "openssl", everything=True, comment=True),
            ExtractedBundle(f"{_ARCH}/tls-ca-bundle.pem", "pem", SERVER_AUTH, comment=True),
            ExtractedBundle(f"{_ARCH}/email-ca-bundle.pem", "pem", EMAIL, comment=True),
            ExtractedBundle(f"{_ARCH}/objsign-ca-bundle.pem", "pem", CODE_SIGNING, comment=True),
            ExtractedBundle(f"{_ARCH}/java-cacerts.jks", "java", SERVER_AUTH),
            ExtractedBundle(f"{_ARCH}/edk2-cacerts.bin", "edk2", SERVER_AUTH),
        ),
        directories=(ExtractedHashDirectory(f"{_ARCH}/cadir", purpose=SERVER_AUTH),),
        mirror=Mirror("/etc/ssl/certs", "../../ca-certificates/extracted/cadir/", files=True),
        last_name=True,
    ),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt", f"{_ARCH}/tls-ca-bundle.pem"),
        openssl_directory=("/etc/ssl/certs", f"{_ARCH}/cadir"),
        gnutls_way=P11KIT,
        gnutls=_ARCH_TOKENS,
        source=f"PKGBUILD of gnutls (--with-default-trust-store-pkcs11); {OPENSSL_PROBE}",
    ),
)

P11KITS = (FEDORA, SUSE, ARCH)
