# For Debian or Ubuntu with Python 3.11 or newer: one step installs the CA into the image. The tool is mounted for this
# step and leaves no files. In the directory with my-ca.pem:
#
#   pip install --quiet --target tool './rootfs-trust[settings]'
#   buildah build -f rootfs-trust/recipes/docker/debian.Dockerfile -t my-app .
#
# For a base without Python, use alpine.Dockerfile, which works for Debian, too.
# For a base whose user is not root: --build-arg BASE=... --build-arg RUN_AS=that-user
ARG BASE=python:3.13-slim
FROM ${BASE}
ARG SOURCE_DATE_EPOCH
ARG RUN_AS=root

# Install packages before this step, so that the bundle also contains their CAs. "--runtimes auto" also adds the CA to
# the stores of language runtimes; the default base has one, which pip uses.
USER root
RUN --mount=type=bind,source=tool,target=/run/tool \
    --mount=type=bind,source=my-ca.pem,target=/run/my-ca.pem \
    export PYTHONPATH=/run/tool PYTHONDONTWRITEBYTECODE=1 && \
    python3 -m rootfs_trust install --root / --cert /run/my-ca.pem --runtimes auto && \
    python3 -m rootfs_trust check --ignore root-compromised --ignore root-removed --root /
USER ${RUN_AS}
