#!/bin/sh
# Installs the servers that the tests start themselves, where they are missing.
set -eu

# Servers live in sbin, which is not on everyone's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin

# PROGRAM PACKAGE
while read -r program package; do
    command -v "$program" >/dev/null || set -- "$@" "$package"
done <<END
nginx nginx
END

[ $# -eq 0 ] || "$(dirname "$0")/apt-install.sh" "$@"
