# For one image instead of all: in a layer of your own, with the certificate in its folder files/.
IMAGE_CLASSES += "rootfs_trust"
IMAGE_INSTALL:append = " ca-certificates"

ROOTFS_TRUST_CERTS = "files/my-ca.pem"
ROOTFS_TRUST_CLOUDS = "c8y"
