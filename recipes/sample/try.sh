#!/bin/sh
# Installs rootfs-trust into .venv and runs its main job on a sample root filesystem below build/sample.
set -eu
cd "$(dirname "$0")/../.."
. recipes/sample/venv.sh
python_environment .venv pkcs7,settings
rm -rf build/sample
mkdir -p build
.venv/bin/python recipes/sample/make.py build/sample
cd build/sample
echo '$ rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y'
../../.venv/bin/rootfs-trust install --root ./rootfs --cert my-ca.pem --cloud c8y
echo '$ find rootfs -newer my-ca.pem'
find rootfs -newer my-ca.pem ! -type d -printf '%P %l\n' | sed 's/ \(.\)/ -> \1/; s/ $//' | LC_ALL=C sort
echo '$ cat rootfs/etc/tedge/tedge.toml'
cat rootfs/etc/tedge/tedge.toml
