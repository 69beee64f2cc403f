#!/bin/bash -e
# pi-gen runs this on the build machine, in this directory, with the root filesystem in ${ROOTFS_DIR}.
rootfs-trust install --root "${ROOTFS_DIR}" --cert files/my-ca.pem
rootfs-trust check --ignore root-compromised --ignore root-removed --root "${ROOTFS_DIR}"
