#!/bin/sh
# Builds the site from the pages below docs/ into build/docs and the man pages into build/man.
# Warnings, and links that lead nowhere, are errors.
set -eu
cd "$(dirname "$0")/.."
. recipes/sample/venv.sh
python_environment .venv docs
bin=$PWD/.venv/bin
rm -rf build/docs build/man
"$bin/sphinx-build" -W --keep-going -q -b html docs build/docs
"$bin/python" docs/check_links.py build/docs
mkdir -p build/man
# help2man takes the hyphen out of a word that is broken there, as in thin-edge.io: no line of help is broken for it.
wide=$(mktemp -d)
trap 'rm -rf "$wide"' EXIT
cat >"$wide/rootfs-trust" <<END
#!$bin/python
from rootfs_trust.cli.run import commands
commands.main(prog_name="rootfs-trust", terminal_width=9999, max_content_width=9999)
END
chmod +x "$wide/rootfs-trust"
PATH="$wide:$PATH"
version=$(rootfs-trust --version)
page() { # page NAME DESCRIPTION WORDS...: the man page of one command
    name=$1 description=$2
    shift 2
    help2man --no-info --no-discard-stderr --section 1 --name "$description" --version-string "${version##* }" "$*" |
        awk "$examples_apart" >"build/man/$name.1"
}
# help2man takes click's indented text for a list, and fills the lines of the examples into one paragraph.
examples_apart='
/^\.SH/ { if (examples) print ".fi"; examples = 0; description = /DESCRIPTION/ }
description && /^\.IP/ { $0 = ".PP" }
description && /^Examples?:/ { print ".nf"; examples = 1 }
{ print }'
page rootfs-trust "CA certificates into root filesystems at build time" rootfs-trust
"$bin/python" -c 'from rootfs_trust.cli.run import COMMANDS
for name, line in COMMANDS.items(): print(name, line)' | while read -r name description; do
    page "rootfs-trust-$name" "$description" rootfs-trust "$name" </dev/null
done
echo "build/docs/index.html, build/man/rootfs-trust.1 and one for each command"
