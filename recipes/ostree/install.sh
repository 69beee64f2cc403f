#!/bin/sh
# install.sh TREE CERTIFICATE: for a tree as OSTree keeps it, before "ostree commit". There /etc is /usr/etc, and is
# called /etc while the tool runs, as rpm-ostree does it. /usr/local may be a link to /var/usrlocal, and of /var a
# device keeps its own: a CA that Debian's layout would have there goes where the distribution's own are.
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
