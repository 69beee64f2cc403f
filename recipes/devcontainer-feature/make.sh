#!/bin/sh
# make.sh DIRECTORY CERTIFICATE...: writes the feature with your CA certificates to DIRECTORY, for example
# .devcontainer/company-ca. Then add to devcontainer.json: "features": { "./company-ca": {} }
set -eu
here=$(cd "$(dirname "$0")" && pwd)
directory=$1
shift
tool=$here/../../build/rootfs-trust.pyz
[ -e "$tool" ] || sh "$here/../single-file/build.sh"
mkdir -p "$directory/certs"
cp "$here/company-ca/devcontainer-feature.json" "$here/company-ca/install.sh" "$tool" "$directory"
cp "$@" "$directory/certs"
