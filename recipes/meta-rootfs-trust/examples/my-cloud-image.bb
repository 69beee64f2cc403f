SUMMARY = "A small image that trusts our cloud"
DESCRIPTION = "The class for this image only. The certificate is in the directory files/ of your own layer."
SECTION = "images"
LICENSE = "MIT"

IMAGE_CLASSES += "rootfs_trust"
IMAGE_INSTALL = "packagegroup-core-boot ca-certificates ${CORE_IMAGE_EXTRA_INSTALL}"

inherit core-image

ROOTFS_TRUST_CERTS = "files/my-ca.pem"
ROOTFS_TRUST_CLOUDS = "c8y"
