#!/bin/sh
# Usage: matrix.sh PYTEST-ARGUMENT...
# Runs the test suite on every supported Python that is installed, and on the oldest dependencies,
# each in an environment of its own under .venvs.
set -u

# pyenv hides the versions that are not named here.
if command -v pyenv >/dev/null; then
    PYENV_VERSION=$(pyenv versions --bare | grep -E '^3\.1[1-4]\.' | paste -sd: -)
    export PYENV_VERSION
fi

status=0
results=

# Usage: run NAME PYTEST-ARGUMENT...
run() {
    name=$1
    shift
    echo "=== $name"
    if ".venvs/$name/bin/python" -m pytest "$@"; then
        results="$results$name: passed\n"
    else
        results="$results$name: FAILED\n"
        status=1
    fi
}

for version in 3.11 3.12 3.13 3.14; do
    if ! "python$version" -c '' 2>/dev/null; then
        results="$results$version: not installed\n"
    elif scripts/venv.sh "python$version" ".venvs/$version" --editable . --group test; then
        run "$version" "$@"
    else
        results="$results$version: could not be set up\n"
        status=1
    fi
done
run oldest "$@"

printf "=== results\n%b" "$results"
exit $status
