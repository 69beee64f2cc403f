SUMMARY = "Installs CA certificates into a root filesystem at build time"
DESCRIPTION = "Writes the trust store that the distribution's own tool would have written on the device, and points \
               thin-edge.io's settings at it: offline, for any architecture, without running a program of the device."
SECTION = "devel/python"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

# The layer is part of the tool's own repository, and builds the tool from the checkout that contains it. With
# ROOTFS_TRUST_SDIST, it builds a released sdist instead, whose SHA-256 is ROOTFS_TRUST_SDIST_SHA256.
# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext
FILESEXTRAPATHS:prepend := "${THISDIR}/../../../..:"
ROOTFS_TRUST_CHECKOUT = "\
    file://LICENSE;subdir=${BP} \
    file://README.md;subdir=${BP} \
    file://pyproject.toml;subdir=${BP} \
    file://recipes;subdir=${BP} \
    file://root_data/roots.json;subdir=${BP} \
    file://rootfs_trust;subdir=${BP} \
    file://templates;subdir=${BP} \
"
ROOTFS_TRUST_SDIST ?= ""
ROOTFS_TRUST_SDIST_SHA256 ?= ""
SRC_URI = "${@'${ROOTFS_TRUST_SDIST};subdir=${BP};striplevel=1' if d.getVar('ROOTFS_TRUST_SDIST') else '${ROOTFS_TRUST_CHECKOUT}'}"
SRC_URI[sha256sum] = "${ROOTFS_TRUST_SDIST_SHA256}"

CVE_PRODUCT = "rootfs-trust"

inherit python_hatchling

PACKAGECONFIG ??= "settings"
# New settings files of thin-edge.io and of other agents.
PACKAGECONFIG[settings] = ",,,python3-jinja2"
# Certificates in .p7b and .p7c files; brings Rust with it.
PACKAGECONFIG[pkcs7] = ",,,python3-cryptography"
# The command verify; from walnascar on.
PACKAGECONFIG[verify] = ",,,python3-pyopenssl"

RDEPENDS:${PN} += "python3-click python3-misc python3-modules"

BBCLASSEXTEND = "native nativesdk"
