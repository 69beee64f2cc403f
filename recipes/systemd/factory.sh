#!/bin/sh
# factory.sh TREE: for an image whose /etc is empty at the first boot, or at every boot. Copies the files that
# "rootfs-trust install" wrote to /etc of TREE to /usr/share/factory. systemd-tmpfiles restores a missing /etc from it.
set -eu
cd "$1"
mkdir -p usr/share/factory/etc usr/lib/tmpfiles.d
for path in etc/ca-certificates.conf etc/ssl etc/tedge; do
    if [ -e "$path" ]; then
        rm -rf "usr/share/factory/$path"
        cp -a "$path" usr/share/factory/etc/
        echo "C /$path"
    fi
done >usr/lib/tmpfiles.d/rootfs-trust.conf
