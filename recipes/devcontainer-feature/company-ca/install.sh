#!/bin/sh
# Installs the certificates in the directory certs into the dev container. Dev container tools run this as root, and
# pass the options as variables. Set ROOTFS_TRUST to use another command than the rootfs-trust.pyz beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

has_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

install_python() {
    if command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3
    elif command -v apk >/dev/null; then
        apk add --quiet python3
    elif command -v dnf >/dev/null; then
        dnf install --quiet -y python3
    fi
}

has_python || install_python
has_python || {
    echo "company-ca: Python 3.11 or newer is needed in the container; install it before this feature" >&2
    exit 1
}
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
SHIV_ROOT=$unpacked ${ROOTFS_TRUST:-python3 "$here/rootfs-trust.pyz"} install --root "${ROOTFS:-/}" \
    --cert "$here/certs" --runtimes "${RUNTIMES:-auto}"
