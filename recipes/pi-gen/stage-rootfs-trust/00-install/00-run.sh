#!/bin/bash -e
# pi-gen runs this on the build machine, in this folder, with the image's files below ${ROOTFS_DIR}.
rootfs-trust install --root "${ROOTFS_DIR}" --cert files/my-ca.pem
rootfs-trust check --ignore root-compromised --ignore root-removed --root "${ROOTFS_DIR}"
