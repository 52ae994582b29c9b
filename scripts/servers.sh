#!/bin/sh
# Usage: servers.sh [PYTHON]
# Installs or fetches the servers that the tests start themselves, where they are missing.
# REDIS_URL, MONGODB_URL and DYNAMODB_ENDPOINT_URL point the tests at servers that run already, so
# these are left out.
set -eu

# Servers and ldconfig live in sbin, which is not on everyone's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
python=${1:-python3}

# Usage: need PACKAGE COMMAND...: the package is missing where the command fails.
packages=
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || packages="$packages $package"
}

has_library() {
    ldconfig -p | grep -q "$1"
}

need nginx command -v nginx
[ -n "${REDIS_URL-}" ] || need redis-server command -v redis-server
# mongod is linked with it.
[ -n "${MONGODB_URL-}" ] || need libcurl4 has_library libcurl.so.4

# shellcheck disable=SC2086 # One word for each package.
[ -z "$packages" ] || "$(dirname "$0")/apt-install.sh" $packages

exec "$python" "$(dirname "$0")/fetch_servers.py"
