#!/bin/sh
# Usage: apt-install.sh PACKAGE...
# Installs Debian packages, as root or with sudo, and starts no service.
set -eu

fail() {
    echo "Please install: $packages ($1)" >&2
    exit 1
}

packages=$*
command -v apt-get >/dev/null || fail "this system has no apt-get"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    fail "needs root, and there is no sudo"
fi

# RUNLEVEL=1 tells invoke-rc.d that this is no time to start services.
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install --yes -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >&2
}

# The package ca-certificates, which python3-venv needs, would replace a bundle that was put in its
# place by hand, and with it the authorities that pip was told to trust.
bundle=/etc/ssl/certs/ca-certificates.crt
if [ -f "$bundle" ] && ! dpkg --status ca-certificates >/dev/null 2>&1; then
    saved=$(mktemp)
    cat "$bundle" >"$saved"
    trap '$as_root cp "$saved" "$bundle"; rm -f "$saved"' EXIT
fi

echo "Installing $packages" >&2
# The package lists may be missing or old: fetch them only when they are in the way.
install "$@" || { $as_root apt-get update -qq >&2 && install "$@"; } || fail "apt-get failed"
