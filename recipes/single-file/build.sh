#!/bin/sh
# Builds build/rootfs-trust.pyz: the command as one file for any architecture, which needs only python3 (3.11 or newer).
# At its first run it unpacks itself into ~/.shiv, or SHIV_ROOT. It has no compiled parts, so it does not support
# what needs the cryptography library: PKCS#7 inputs, PKCS#12 keystores, verify.
set -eu
cd "$(dirname "$0")/../.."
. recipes/sample/venv.sh
python_environment build/single-file-venv
bin=$PWD/build/single-file-venv/bin
"$bin/pip" install --quiet --disable-pip-version-check shiv
site=build/single-file
rm -rf "$site"
"$bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps --target "$site" .
"$bin/pip" install --quiet --disable-pip-version-check --no-compile --target "$site" 'click>=8.1' 'jinja2>=3.1'
find "$site" -name '*.so' -delete
rm -rf "$site/bin"
"$bin/shiv" --site-packages "$site" --console-script rootfs-trust --python '/usr/bin/env python3' --reproducible \
    --output-file build/rootfs-trust.pyz
ls -l build/rootfs-trust.pyz
