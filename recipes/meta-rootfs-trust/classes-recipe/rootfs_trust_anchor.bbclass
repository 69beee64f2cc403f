# SPDX-License-Identifier: Apache-2.0
#
# CA certificates as a separate package, so that the manifest, the package database and the SBOM list them:
#
#   SUMMARY = "The CA of our cloud"
#   LICENSE = "CLOSED"
#   SRC_URI = "file://my-ca.pem"
#   inherit rootfs_trust_anchor
#
# rootfs-trust reads them, refuses files that must not be shipped (a private key, an expired certificate), and writes
# a source file of the store for each. In an image with rootfs_trust.bbclass, that class then writes and checks the
# store. Without it, and when the package is installed on a device, update-ca-certificates writes the store.

ROOTFS_TRUST_ANCHORS ??= "${@' '.join(rootfs_trust_anchor_files(d))}"
ROOTFS_TRUST_ANCHORS[doc] = "The certificates: files or directories below S; by default \
all files of SRC_URI with the suffix of a certificate file."

ROOTFS_TRUST_AT ??= ""
ROOTFS_TRUST_AT[doc] = "The time at which certificates must be valid. If empty, the time of the build."

ROOTFS_TRUST_ANCHOR_FOLDER = "${prefix}/local/share/ca-certificates"
ROOTFS_TRUST_ANCHOR_FOLDER[doc] = "The directory in which update-ca-certificates reads all certificates, without a line in its list."

inherit allarch

DEPENDS += "rootfs-trust-native"

# Where do_unpack puts files: releases before walnascar know no UNPACKDIR, later ones refuse WORKDIR.
S = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}"
FILES:${PN} += "${ROOTFS_TRUST_ANCHOR_FOLDER}"
RDEPENDS:${PN} += "ca-certificates"
PACKAGE_WRITE_DEPS += "openssl-native debianutils-native"
INHIBIT_DEFAULT_DEPS = "1"

do_compile[cleandirs] += "${B}/judged"
do_compile[vardeps] += "ROOTFS_TRUST_ANCHORS ROOTFS_TRUST_AT"

def rootfs_trust_anchor_files(d):
    names = [url.split(";")[0].split("/")[-1] for url in (d.getVar("SRC_URI") or "").split()]
    return [name for name in names if name.endswith((".pem", ".crt", ".cer", ".der", ".p7b", ".p7c"))]

do_compile() {
    set --
    for each in ${ROOTFS_TRUST_ANCHORS}; do
        set -- "$@" --cert "${S}/$each"
    done
    test -n "${ROOTFS_TRUST_AT}" && set -- "$@" --at "${ROOTFS_TRUST_AT}"
    rootfs-trust install --root "${B}/judged" --layout yocto "$@"
}

do_install() {
    install -d "${D}${ROOTFS_TRUST_ANCHOR_FOLDER}"
    install -m 0644 "${B}/judged/usr/local/share/ca-certificates/"*.crt "${D}${ROOTFS_TRUST_ANCHOR_FOLDER}"
}

pkg_postinst:${PN}() {
    test -z "$D" || set -- --sysroot "$D"
    "$D${sbindir}/update-ca-certificates" "$@"
}

pkg_postrm:${PN}() {
    test -n "$D" || "${sbindir}/update-ca-certificates" --fresh
}

# Report errors before anything is built.
# nooelint: oelint.task.noanonpython
python () {
    if not (d.getVar("ROOTFS_TRUST_ANCHORS") or "").split():
        bb.fatal("ROOTFS_TRUST_ANCHORS is empty: add certificates to SRC_URI, as in file://my-ca.pem")
}
