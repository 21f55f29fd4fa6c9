#!/usr/bin/env bash
# Checks what the machine must bring along; everything else is fetched into the checkout.
# Usage: prerequisites.sh demo|test. Names all that is missing, each with what to install.
set -uo pipefail

missing=()
need() { missing+=("$1"); }

# at_least HAVE WANT: compares dotted versions.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
first_version() { grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1; }

system="$(uname -s) $(uname -m)"
[ "$system" = "Linux x86_64" ] ||
    need "this is $system; rkchat builds on x86-64 Linux only as yet"
if ldd --version 2>&1 | grep -qi musl; then
    need "this system's C library is musl; rkchat builds with glibc only as yet (Debian, Ubuntu, Fedora, ...)"
fi

# The CPU runtime is one build for these; run elsewhere it would die of an illegal instruction.
lacking=""
for feature in avx2 fma f16c bmi2; do
    grep -qwm 1 "$feature" /proc/cpuinfo || lacking="$lacking $feature"
done
[ -z "$lacking" ] || need "this CPU lacks$lacking, which the CPU runtime is built for (Intel Haswell, AMD Zen or newer)"

# The Node binding's crate needs the newer one.
rust=1.85
[ "${1:-}" != test ] || rust=1.88
if version=$(rustc --version 2>/dev/null | first_version) && cargo --version >/dev/null 2>&1; then
    at_least "$version" $rust || need "Rust $rust or newer (found $version): rustup update"
else
    need "Rust $rust or newer with cargo: https://rustup.rs (a toolchain under another HOME needs RUSTUP_HOME set)"
fi

python=${PYTHON:-python3}
if version=$("$python" --version 2>/dev/null | first_version); then
    at_least "$version" 3.9 || need "Python 3.9 or newer (found $version); PYTHON=/path/to/python chooses another"
    "$python" -c 'import venv, ensurepip' 2>/dev/null || need "Python's venv module: apt install python3-venv"
else
    need "Python 3.9 or newer with venv: apt install python3 python3-venv"
fi

cc --version >/dev/null 2>&1 || need "a C compiler: apt install gcc"
c++ --version >/dev/null 2>&1 || need "a C++ compiler: apt install g++"

if [ "${1:-}" = test ]; then
    for component in rustfmt clippy; do
        tool=${component/clippy/clippy-driver}
        "$tool" --version >/dev/null 2>&1 || need "$component: rustup component add $component"
    done
    if version=$(node --version 2>/dev/null | first_version); then
        at_least "$version" 18.18 || need "Node 18.18 or newer (found $version): https://nodejs.org"
    else
        need "Node 18.18 or newer: https://nodejs.org"
    fi
    npm --version >/dev/null 2>&1 || need "npm, which comes with Node: https://nodejs.org, or apt install npm"
fi

if [ ${#missing[@]} -gt 0 ]; then
    {
        echo "rkchat cannot be built here. Missing:"
        printf '  - %s\n' "${missing[@]}"
    } >&2
    exit 1
fi
