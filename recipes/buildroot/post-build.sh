#!/bin/sh
# BR2_ROOTFS_POST_BUILD_SCRIPT: Buildroot calls this with the target's folder, after all packages and before the
# images. The CA lies beside this file; BR2_REPRODUCIBLE sets SOURCE_DATE_EPOCH, which the tool keeps to.
set -eu
rootfs-trust install --root "$1" --cert "$(dirname "$0")/my-ca.pem"
rootfs-trust check --ignore root-compromised --ignore root-removed --root "$1"
