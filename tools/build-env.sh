#!/usr/bin/env bash
# Runs a command with what builds need: the tools in .venv, and libclang for bindgen, which makes the
# Rust declarations of llama.cpp. Usage: build-env.sh COMMAND...
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export PATH="$root/.venv/bin:$PATH"
# Named, so that a change of PATH does not rebuild pyo3.
export PYO3_PYTHON="$root/.venv/bin/python"
if [ -z "${LIBCLANG_PATH:-}" ]; then
    for folder in "$root"/.venv/lib/python3*/site-packages/clang/native; do
        export LIBCLANG_PATH=$folder
    done
    # The wheel brings no headers of its own (stddef.h and the like): gcc's serve.
    export BINDGEN_EXTRA_CLANG_ARGS=${BINDGEN_EXTRA_CLANG_ARGS:--I$(cc -print-file-name=include)}
fi
exec "$@"
