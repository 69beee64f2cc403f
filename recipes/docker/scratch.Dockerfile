# From scratch: a program of your own in app/, with all that it needs, and a trust store that holds your CA alone.
# Nothing of the image has to be written when it runs (docker run --read-only). In the folder with app/ and my-ca.pem:
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
# Go and OpenSSL of most distributions look there by themselves; a static OpenSSL of another prefix does not.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
