# For Alpine, or any base without Python: another stage changes a copy of the base, and the image copies the changes.
# No program of the base runs, so --platform needs no emulation. In the directory with my-ca.pem:
#
#   pip install --quiet --target tool './rootfs-trust[settings]'
#   buildah build -f rootfs-trust/recipes/docker/alpine.Dockerfile -t my-app .
#
ARG BASE=alpine:3.22
FROM ${BASE} AS base
# Install packages here: "apk add ca-certificates" after the CA is installed would write the bundle again, without it.

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
