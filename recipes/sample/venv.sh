# Source this file. python_environment DIR [EXTRA] makes a virtual environment in DIR and installs this package into it.
# Debian packages pip and venv separately from python3, and refuses pip outside a virtual environment.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        echo "this needs root or sudo: $*" >&2
        return 1
    fi
}

python_environment() {
    python=${PYTHON:-python3}
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "Python 3.11 or newer is needed; this is $("$python" --version)" >&2
        return 1
    }
    if ! [ -x "$1/bin/pip" ]; then
        "$python" -c 'import ensurepip, venv' 2>/dev/null || {
            echo "installing the Debian package python3-venv" >&2
            as_root apt-get update -qq
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv >/dev/null
        }
        "$python" -m venv "$1"
    fi
    # Development tools are installed in the versions of requirements-dev.txt.
    "$1/bin/pip" install --quiet --disable-pip-version-check ${2:+--constraint requirements-dev.txt} --editable ".${2:+[$2]}"
}
