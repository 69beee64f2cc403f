#!/bin/sh
# Builds the image localhost/rootfs-trust, or $IMAGE, with buildah, or the program $BUILDER. Needs python3 with pip.
# The same checkout, base and package versions give the same image: all times are SOURCE_DATE_EPOCH, which is by default
# the time of the last commit.
set -eu
cd "$(dirname "$0")/../.."
context=build/tool-image
rm -rf "$context"
mkdir -p "$context"
python3 -m pip install --quiet --disable-pip-version-check --no-compile --target "$context/tool" '.[settings,pkcs7,verify]'
rm -rf "$context/tool/bin"
find "$context/tool" \( -name direct_url.json -o -name RECORD \) -delete # have paths and digests of this machine
install -D -m 755 recipes/tool-image/rootfs-trust "$context/tool/bin/rootfs-trust"
chmod -R u=rwX,go=rX "$context/tool"
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
${BUILDER:-buildah build} -f recipes/tool-image/Dockerfile --timestamp "$time" ${BASE:+--build-arg "BASE=$BASE"} \
    -t "${IMAGE:-localhost/rootfs-trust}" "$context"
