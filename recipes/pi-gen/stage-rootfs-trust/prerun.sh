#!/bin/bash -e
# Begin with a copy of the previous stage, as pi-gen's own stages do.

if [ ! -d "${ROOTFS_DIR}" ]; then
	copy_previous
fi
