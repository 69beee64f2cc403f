#!/bin/sh
# Installs what the tests need and runs them: linters, types, the direction of imports, then pytest.
# "run.sh slow" runs the slower suites instead, which need more programs. Other arguments go to pytest.
# PYTHON and VENV may name another Python, and another folder for its virtual environment.
# Without root the Debian packages are left as they are, and tests whose peers are missing skip.
set -eu
cd "$(dirname "$0")/.."
. recipes/sample/venv.sh

PACKAGES="age ca-certificates ca-certificates-java curl cpio debootstrap default-jre-headless e2fsprogs erofs-utils fdisk gnutls-bin jq mmdebstrap mosquitto openssl
    fakeroot ostree p11-kit p11-kit-modules pseudo putty-tools qemu-user-static rpm squashfs-tools strace xz-utils zip zstd"
suite="not slow"
extras=test
limit=300
if [ "${1:-}" = slow ]; then
    shift
    suite=slow
    limit=1200
    extras=test,fleet
    PACKAGES="$PACKAGES buildah chromium debos default-jdk-headless elixir erlang-ssl faketime firefox-esr gcc git help2man iproute2 libc6-dev libmbedtls-dev
        libmono-btls-interface4.0-cil live-build mandoc mkosi mono-mcs mono-runtime packer php-cli php-curl ruby skopeo systemd umoci wget"
    # Often installed in other ways; of Debian's cargo only that of 13 and later is new enough.
    command -v npm >/dev/null || PACKAGES="$PACKAGES npm"
    command -v mvn >/dev/null || PACKAGES="$PACKAGES maven"
    command -v go >/dev/null || PACKAGES="$PACKAGES golang-go"
    command -v cargo >/dev/null || PACKAGES="$PACKAGES cargo gcc libc6-dev"
fi

missing=$(for package in $PACKAGES; do dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
    grep -qx installed || echo "$package"; done)
if [ -n "$missing" ] && [ -n "${CI:-}" -o "$(id -u)" = 0 ]; then
    as_root apt-get update -qq
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
elif [ -n "$missing" ]; then
    echo "not installed, so tests will skip:" $missing >&2
fi

environment=${VENV:-.venv}
python_environment "$environment" $extras
bin=$environment/bin
$bin/ruff check --quiet
$bin/mypy
$bin/lint-imports
exec $bin/pytest --timeout $limit -n 2 --dist worksteal -m "$suite" "$@"
