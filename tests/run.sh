#!/bin/sh
# Installs what a suite of tests needs, and runs it:
#
#   sh tests/run.sh                the quick suite: linters, types, the direction of imports, and the tests of tests/unit
#                                  that need no reference program. Installs Python packages, and python3-venv if needed.
#   sh tests/run.sh integration    the tests that compare with reference programs; installs these from Debian
#   sh tests/run.sh slow           the slow tests; installs more programs
#
# Further arguments go to pytest. PYTHON and VENV select another Python, and another directory for its environment.
# Without root, no Debian package is installed, and tests that need a missing program are skipped.
set -eu
cd "$(dirname "$0")/.."
. recipes/sample/venv.sh

suite=quick
case "${1:-}" in integration | slow) suite=$1 && shift ;; esac

extras=test
limit=300
PACKAGES=
if [ "$suite" != quick ]; then
    PACKAGES="age ca-certificates ca-certificates-java curl cpio debootstrap default-jre-headless e2fsprogs erofs-utils fdisk gnutls-bin jq
        mmdebstrap mosquitto openssl fakeroot ostree p11-kit p11-kit-modules pseudo putty-tools qemu-user-static rpm squashfs-tools strace
        xz-utils zip zstd"
fi
if [ "$suite" = slow ]; then
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
case $suite in
    quick)
        $bin/ruff check --quiet
        $bin/mypy
        $bin/lint-imports
        tests="not integration and not slow"
        [ $# -gt 0 ] || set -- tests/unit
        ;;
    integration) tests="integration and not slow" ;;
    slow) tests=slow ;;
esac
exec $bin/pytest --timeout $limit -n 2 --dist worksteal -m "$tests" "$@"
