#!/bin/sh
# Builds the site from the pages below docs/ into build/docs (warnings are errors), and the man pages into build/man.
set -eu
cd "$(dirname "$0")/.."
. recipes/sample/venv.sh
python_environment .venv docs
bin=$PWD/.venv/bin
rm -rf build/docs build/man
"$bin/sphinx-build" -W --keep-going -q -b html docs build/docs
mkdir -p build/man
PATH="$bin:$PATH"
version=$(rootfs-trust --version)
page() { # page NAME DESCRIPTION WORDS...: the man page of one command
    name=$1 description=$2
    shift 2
    help2man --no-info --no-discard-stderr --section 1 --name "$description" --version-string "${version##* }" \
        --output "build/man/$name.1" "$*"
}
page rootfs-trust "CA certificates into root filesystems at build time" rootfs-trust
"$bin/python" -c 'from rootfs_trust.cli.run import COMMANDS
for name, line in COMMANDS.items(): print(name, line)' | while read -r name description; do
    page "rootfs-trust-$name" "$description" rootfs-trust "$name" </dev/null
done
echo "build/docs/index.html, build/man/rootfs-trust.1 and one for each command"
