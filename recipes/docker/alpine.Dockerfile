# Alpine, or any base without Python: another stage prepares the base's files, and the image takes what has changed.
# No program of the base is run, so --platform needs no emulation. In the folder with my-ca.pem:
#
#   pip install --quiet --target tool './rootfs-trust[settings]'
#   buildah build -f rootfs-trust/recipes/docker/alpine.Dockerfile -t my-app .
#
ARG BASE=alpine:3.22
FROM ${BASE} AS base
# Packages come here: "apk add ca-certificates" later than the CA would make the bundle anew.

FROM --platform=$BUILDPLATFORM python:3.13-slim AS prepare
ARG SOURCE_DATE_EPOCH
COPY --from=base / /rootfs/
RUN --mount=type=bind,source=tool,target=/run/tool \
    --mount=type=bind,source=my-ca.pem,target=/run/my-ca.pem \
    export PYTHONPATH=/run/tool && \
    python3 -m rootfs_trust install --root /rootfs --cert /run/my-ca.pem && \
    python3 -m rootfs_trust check --ignore root-compromised --ignore root-removed --root /rootfs

FROM base
COPY --from=prepare /rootfs/etc/ssl/ /etc/ssl/
COPY --from=prepare /rootfs/usr/local/share/ /usr/local/share/
