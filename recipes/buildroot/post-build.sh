#!/bin/sh
# BR2_ROOTFS_POST_BUILD_SCRIPT: Buildroot runs this with the target directory as argument, after it has installed all
# packages and before it makes the images. Put the CA beside this file. BR2_REPRODUCIBLE sets SOURCE_DATE_EPOCH, which
# rootfs-trust uses.
set -eu
rootfs-trust install --root "$1" --cert "$(dirname "$0")/my-ca.pem"
rootfs-trust check --ignore root-compromised --ignore root-removed --root "$1"
