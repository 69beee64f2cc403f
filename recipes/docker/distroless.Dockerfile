# For distroless images: no shell, no Python, a user that is not root, and a bundle as the only trust store. Another
# stage adds the CA to a copy of the bundle. BASE is the full name of your base, such as Google's base-debian12:nonroot.
# In the directory with my-ca.pem:
#
#   pip install --quiet --target tool './rootfs-trust[settings]'
#   buildah build -f rootfs-trust/recipes/docker/distroless.Dockerfile --build-arg BASE=$BASE -t my-app .
#
ARG BASE
FROM ${BASE} AS base

FROM --platform=$BUILDPLATFORM python:3.13-slim AS prepare
ARG SOURCE_DATE_EPOCH
COPY --from=base / /rootfs/
RUN --mount=type=bind,source=tool,target=/run/tool \
    --mount=type=bind,source=my-ca.pem,target=/run/my-ca.pem \
    export PYTHONPATH=/run/tool && \
    python3 -m rootfs_trust install --root /rootfs --cert /run/my-ca.pem && \
    python3 -m rootfs_trust check --ignore root-compromised --ignore root-removed --root /rootfs

# The user of the base stays as it is.
FROM base
COPY --from=prepare /rootfs/etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
