SUMMARY = "An image on a root filesystem that is there already"
DESCRIPTION = "Building packages takes hours and the network; everything behind them is openembedded-core's own."
LICENSE = "MIT"

inherit image

PACKAGE_INSTALL = ""
IMAGE_LINGUAS = ""
IMAGE_LOCALES_ARCHIVE = "0"
IMAGE_FSTYPES = "tar"
KERNELDEPMODDEPEND = ""
KERNEL_DEPLOY_DEPEND = ""
LDCONFIGDEPEND = ""
USE_DEPMOD = "0"

# A product with its own os-release, and thin-edge.io's user as its package makes it.
unpack_seed() {
    tar -C "${IMAGE_ROOTFS}" --numeric-owner -xf "${SEED_ROOTFS}"
    rm -f "${IMAGE_ROOTFS}/etc/os-release" "${IMAGE_ROOTFS}/usr/lib/os-release"
    echo "ID=acme-gateway" > "${IMAGE_ROOTFS}/etc/os-release"
    echo "root:x:0:0::/root:/bin/sh" > "${IMAGE_ROOTFS}/etc/passwd"
    echo "tedge:x:970:971::/:/bin/false" >> "${IMAGE_ROOTFS}/etc/passwd"
    echo "root:x:0:" > "${IMAGE_ROOTFS}/etc/group"
    echo "tedge:x:971:" >> "${IMAGE_ROOTFS}/etc/group"
}
ROOTFS_PREPROCESS_COMMAND += "unpack_seed"
