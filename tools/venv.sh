#!/usr/bin/env bash
# Makes the virtual environment .venv and installs a list of tools into it.
# Usage: venv.sh REQUIREMENTS. Nothing outside the checkout is changed.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=$1

[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)

# llama.cpp asks for cmake 3.14; a newer one of the machine is used as it is.
skip='^$'
if version=$(cmake --version 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1) &&
    [ "$(printf '%s\n3.14\n' "$version" | sort -V | head -n 1)" = 3.14 ]; then
    skip='^cmake=='
fi
grep -v "$skip" "$requirements" | "${pip[@]}" install -r /dev/stdin
