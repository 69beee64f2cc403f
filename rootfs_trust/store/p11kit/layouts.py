"""The layouts of the p11-kit family: one frozen constant a family of distributions."""

from __future__ import annotations

from rootfs_trust.store.p11kit.entries import CODE_SIGNING, EMAIL, SERVER_AUTH
from rootfs_trust.store.p11kit.layout import P11KitStore
from rootfs_trust.store.p11kit.mirror import Mirror
from rootfs_trust.store.p11kit.outputs import Bundle, Folder
from rootfs_trust.store.p11kit.places import TOKENS
from rootfs_trust.store.p11kit.select import Filter

_FEDORA = "/etc/pki/ca-trust/extracted"
_SUSE = "/var/lib/ca-certificates"
_ARCH = "/etc/ca-certificates/extracted"

FEDORA = P11KitStore(
    name="fedora",
    title="Fedora, RHEL, CentOS Stream, Rocky, AlmaLinux, Amazon Linux, Azure Linux",
    releases="Fedora 38 to 43, RHEL 8 to 10 and their kin, Amazon Linux 2 and 2023, Azure Linux 3",
    facts=(
        "update-ca-trust(8) of ca-certificates: its calls of trust extract, in their order",
        "p11-kit 0.26.4, trust/: formats, modes, names; held against trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths /etc/pki/ca-trust/source:/usr/share/pki/ca-trust-source",
    ),
    tokens=TOKENS["fedora"],
    bundle=f"{_FEDORA}/pem/tls-ca-bundle.pem",
    hash_directory=f"{_FEDORA}/pem/directory-hash",
    bundles=(
        Bundle(
            path=f"{_FEDORA}/openssl/ca-bundle.trust.crt", format="openssl", filter=Filter.CERTIFICATES, comment=True
        ),
        Bundle(path=f"{_FEDORA}/pem/tls-ca-bundle.pem", format="pem", purpose=SERVER_AUTH, comment=True),
        Bundle(path=f"{_FEDORA}/pem/email-ca-bundle.pem", format="pem", purpose=EMAIL, comment=True),
        Bundle(path=f"{_FEDORA}/pem/objsign-ca-bundle.pem", format="pem", purpose=CODE_SIGNING, comment=True),
        Bundle(path=f"{_FEDORA}/java/cacerts", format="java", purpose=SERVER_AUTH),
        Bundle(path=f"{_FEDORA}/edk2/cacerts.bin", format="edk2", purpose=SERVER_AUTH),
    ),
    folders=(
        Folder(
            path=f"{_FEDORA}/pem/directory-hash",
            purpose=SERVER_AUTH,
            extra=(("ca-certificates.crt", "../tls-ca-bundle.pem"), ("ca-bundle.crt", "../tls-ca-bundle.pem")),
        ),
    ),
    mirror=Mirror(
        path="/etc/pki/tls/certs", prefix="../../ca-trust/extracted/pem/directory-hash/", files=False, as_found=True
    ),
    links=(
        ("/etc/pki/tls/cert.pem", f"{_FEDORA}/pem/tls-ca-bundle.pem"),
        ("/etc/pki/tls/certs/ca-bundle.crt", f"{_FEDORA}/pem/tls-ca-bundle.pem"),
        ("/etc/pki/tls/certs/ca-bundle.trust.crt", f"{_FEDORA}/openssl/ca-bundle.trust.crt"),
        ("/etc/pki/java/cacerts", f"{_FEDORA}/java/cacerts"),
        ("/etc/ssl/certs", "/etc/pki/tls/certs"),
    ),
)

SUSE = P11KitStore(
    name="suse",
    title="openSUSE, SUSE Linux Enterprise",
    releases="SLE 15 and 16, openSUSE Leap 15 and 16, Tumbleweed",
    facts=(
        "update-ca-certificates(8) of openSUSE's ca-certificates and its hooks 50java, 70openssl, 80etc_ssl, "
        "99certbundle: which output holds which purposes is in its README",
        "p11-kit 0.26.4, trust/: formats, modes, names; held against trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths /etc/pki/trust:/usr/share/pki/trust",
    ),
    tokens=TOKENS["suse"],
    bundle=f"{_SUSE}/ca-bundle.pem",
    hash_directory=f"{_SUSE}/pem",
    bundles=(
        Bundle(path=f"{_SUSE}/java-cacerts", format="java", purpose=SERVER_AUTH),
        Bundle(path=f"{_SUSE}/ca-bundle.pem", format="pem", purpose=SERVER_AUTH, header=True),
    ),
    folders=(
        Folder(path=f"{_SUSE}/openssl", trusted=True),
        Folder(path=f"{_SUSE}/pem", purpose=SERVER_AUTH),
    ),
    links=(
        ("/etc/ssl/certs", "../../var/lib/ca-certificates/pem"),
        ("/etc/ssl/ca-bundle.pem", "../../var/lib/ca-certificates/ca-bundle.pem"),
    ),
)

ARCH = P11KitStore(
    name="arch",
    title="Arch Linux and its kin",
    releases="Arch Linux of 2024 to 2026",
    facts=(
        "update-ca-trust(8) of ca-certificates-utils, by way of eweOS's fork of it",
        "p11-kit 0.26.4, trust/: formats, modes, names; held against trust extract 0.24.1 byte by byte",
        "the p11-kit package is built with the paths "
        "/etc/ca-certificates/trust-source:/usr/share/ca-certificates/trust-source",
    ),
    tokens=TOKENS["arch"],
    bundle=f"{_ARCH}/tls-ca-bundle.pem",
    hash_directory="/etc/ssl/certs",
    bundles=(
        Bundle(path=f"{_ARCH}/ca-bundle.trust.crt", format="openssl", filter=Filter.CERTIFICATES, comment=True),
        Bundle(path=f"{_ARCH}/tls-ca-bundle.pem", format="pem", purpose=SERVER_AUTH, comment=True),
        Bundle(path=f"{_ARCH}/email-ca-bundle.pem", format="pem", purpose=EMAIL, comment=True),
        Bundle(path=f"{_ARCH}/objsign-ca-bundle.pem", format="pem", purpose=CODE_SIGNING, comment=True),
        Bundle(path=f"{_ARCH}/java-cacerts.jks", format="java", purpose=SERVER_AUTH),
        Bundle(path=f"{_ARCH}/edk2-cacerts.bin", format="edk2", purpose=SERVER_AUTH),
    ),
    folders=(Folder(path=f"{_ARCH}/cadir", purpose=SERVER_AUTH),),
    mirror=Mirror(path="/etc/ssl/certs", prefix="../../ca-certificates/extracted/cadir/", files=True),
    links=(
        ("/etc/ssl/cert.pem", "../ca-certificates/extracted/tls-ca-bundle.pem"),
        ("/etc/ssl/certs/ca-certificates.crt", "../../ca-certificates/extracted/tls-ca-bundle.pem"),
        ("/etc/ssl/certs/java/cacerts", "../../../ca-certificates/extracted/java-cacerts.jks"),
        ("/etc/ssl/certs/edk2/cacerts.bin", "../../../ca-certificates/extracted/edk2-cacerts.bin"),
    ),
    last_name=True,
)
