SUMMARY = "The CA of our cloud"
DESCRIPTION = "A package of its own, so that manifest, package database and SBOM know the certificate."
SECTION = "security"
LICENSE = "CLOSED"

SRC_URI = "file://my-ca.pem"

inherit rootfs_trust_anchor
