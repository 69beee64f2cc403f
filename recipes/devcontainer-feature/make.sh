#!/bin/sh
# make.sh DIRECTORY CERTIFICATE...: the feature with your CA certificates in DIRECTORY, such as .devcontainer/company-ca.
# devcontainer.json then has: "features": { "./company-ca": {} }
set -eu
here=$(cd "$(dirname "$0")" && pwd)
directory=$1
shift
tool=$here/../../build/rootfs-trust.pyz
[ -e "$tool" ] || sh "$here/../single-file/build.sh"
mkdir -p "$directory/certs"
cp "$here/company-ca/devcontainer-feature.json" "$here/company-ca/install.sh" "$tool" "$directory"
cp "$@" "$directory/certs"
