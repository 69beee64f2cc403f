# Debian or Ubuntu with Python 3.11 or newer: the CA goes into the image itself. The tool is there for one step only,
# and nothing of it stays. In the folder with my-ca.pem:
#
#   pip install --quiet --target tool './rootfs-trust[settings]'
#   buildah build -f rootfs-trust/recipes/docker/debian.Dockerfile -t my-app .
#
# A base without Python: see alpine.Dockerfile, which holds for Debian as well.
# A base whose user is not root: --build-arg BASE=... --build-arg RUN_AS=that-user
ARG BASE=python:3.13-slim
FROM ${BASE}
ARG SOURCE_DATE_EPOCH
ARG RUN_AS=root

# Packages come before this: what they bring is then in the bundle, too. "--runtimes auto" adds the CA to the stores of
# language runtimes as well; the default base has one, that of pip.
USER root
RUN --mount=type=bind,source=tool,target=/run/tool \
    --mount=type=bind,source=my-ca.pem,target=/run/my-ca.pem \
    export PYTHONPATH=/run/tool PYTHONDONTWRITEBYTECODE=1 && \
    python3 -m rootfs_trust install --root / --cert /run/my-ca.pem --runtimes auto && \
    python3 -m rootfs_trust check --ignore root-compromised --ignore root-removed --root /
USER ${RUN_AS}
