#!/bin/sh
# install.sh TREE CERTIFICATE: for an OSTree tree, before "ostree commit". OSTree trees have /usr/etc instead of /etc;
# the directory is renamed to /etc while the tool runs, as rpm-ostree does. /usr/local may be a link to /var/usrlocal,
# and /var is not part of the image. So Debian's layout puts the CA beside the CAs of the distribution instead.
set -eu
tree=$1 certificate=$2
mv -T "$tree/usr/etc" "$tree/etc"
trap 'mv -T "$tree/etc" "$tree/usr/etc"' EXIT
if [ -L "$tree/usr/local" ] && [ -f "$tree/etc/ca-certificates.conf" ]; then
    name=local/$(basename "$certificate" .pem).crt
    install -D -m 644 "$certificate" "$tree/usr/share/ca-certificates/$name"
    grep -qxF "$name" "$tree/etc/ca-certificates.conf" || echo "$name" >>"$tree/etc/ca-certificates.conf"
    mkdir -p "$tree/var/usrlocal"
    rootfs-trust install --root "$tree"
else
    rootfs-trust install --root "$tree" --cert "$certificate"
fi
rootfs-trust check --ignore root-compromised --ignore root-removed --root "$tree"
