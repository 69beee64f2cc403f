SUMMARY = "Installs CA certificates into a root filesystem at build time"
DESCRIPTION = "Writes the trust store that the distribution's own tool would have written on the device, and points \
               thin-edge.io's settings at it: offline, for any architecture, without running a program of the device."
SECTION = "devel/python"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

# The layer is part of the tool's own repository, and builds the tool from the checkout that it stands in.
# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext
FILESEXTRAPATHS:prepend := "${THISDIR}/../../../..:"
SRC_URI = "\
    file://LICENSE;subdir=${BP} \
    file://README.md;subdir=${BP} \
    file://pyproject.toml;subdir=${BP} \
    file://recipes;subdir=${BP} \
    file://root_data/roots.json;subdir=${BP} \
    file://rootfs_trust;subdir=${BP} \
    file://templates;subdir=${BP} \
"

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
