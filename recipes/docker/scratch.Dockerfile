# From scratch: app/ contains your program and everything that it needs. The trust store contains only your CA. The
# container can run read-only (docker run --read-only). In the directory with app/ and my-ca.pem:
#
#   pip install --quiet --target tool './rootfs-trust[settings]'
#   buildah build -f rootfs-trust/recipes/docker/scratch.Dockerfile -t my-app .
#
FROM --platform=$BUILDPLATFORM python:3.13-slim AS prepare
ARG SOURCE_DATE_EPOCH
COPY app/ /rootfs/
RUN --mount=type=bind,source=tool,target=/run/tool \
    --mount=type=bind,source=my-ca.pem,target=/run/my-ca.pem \
    export PYTHONPATH=/run/tool && \
    python3 -m rootfs_trust install --root /rootfs --layout bundle-only --cert /run/my-ca.pem && \
    python3 -m rootfs_trust check --ignore root-compromised --ignore root-removed --root /rootfs

FROM scratch
COPY --from=prepare /rootfs/ /
# Go and the OpenSSL of most distributions read this file by default; a static OpenSSL with another prefix does not.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
