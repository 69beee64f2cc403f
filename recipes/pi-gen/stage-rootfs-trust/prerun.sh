#!/bin/bash -e
# As in pi-gen's own stages: begin with a copy of the stage before.

if [ ! -d "${ROOTFS_DIR}" ]; then
	copy_previous
fi
