#!/bin/sh
# Usage: venv.sh PYTHON FOLDER PIP-INSTALL-ARGUMENT...
# Makes a virtual environment, or brings it up to date.
set -eu

python=$1
folder=$2
shift 2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "$python is older than Python 3.11, the oldest that is supported." >&2
    exit 1
}

if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    # Debian packs the part of the standard library that brings pip separately.
    "$python" -c 'import ensurepip' 2>/dev/null ||
        "$(dirname "$0")/apt-install.sh" \
            "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    "$python" -m venv --clear "$folder"
fi
# Dependency groups are known to pip since 25.1.
"$folder/bin/python" -m pip install --quiet 'pip>=25.1'
"$folder/bin/python" -m pip install --quiet "$@"
