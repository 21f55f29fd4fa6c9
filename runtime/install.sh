#!/bin/sh
# Lays the built runtime libraries out as they are loaded:
#   DEST/librkchat_runtime_engine.so, DEST/<group>/librkllmrt.so, DEST/scripted/<group>/librkllmrt.so
# Usage: install.sh TARGET_DIR DEST [scripted]
#   TARGET_DIR   holds the built .so files, e.g. target/release
#   scripted     only the scripted runtimes, where llama.cpp was not built
set -eu
if [ $# -lt 2 ] || [ $# -gt 3 ] || [ "${3:-scripted}" != scripted ]; then
    echo "usage: $0 TARGET_DIR DEST [scripted]" >&2
    exit 2
fi
built=$1
dest=$2
only=${3:-}

# Copies beside the target and renames, so that a process that has the old file mapped keeps it.
put() {
    if [ ! -f "$built/$1" ]; then
        echo "$0: $built/$1 is not built" >&2
        exit 1
    fi
    mkdir -p "$(dirname "$dest/$2")"
    cp "$built/$1" "$dest/$2.new"
    mv -f "$dest/$2.new" "$dest/$2"
}

[ "$only" ] || put librkchat_runtime_engine.so librkchat_runtime_engine.so
for group in 1.0.0 1.0.1 1.1.0 1.2.0 1.2.1b1 1.2.1 1.3.0; do
    name=v$(echo "$group" | tr . _)
    [ "$only" ] || put "librkchat_runtime_$name.so" "$group/librkllmrt.so"
    put "librkchat_scripted_$name.so" "scripted/$group/librkllmrt.so"
done
