#!/bin/bash
# Installs what the build needs and the machine does not have. Sourced by Tests/run.sh and Examples/quickstart.sh; also
# runs by itself.

# A package is looked for by what it brings, so that one installed by other means counts as well.
missing_packages() {
    has_header zlib.h || echo zlib1g-dev
    has_header sqlite3.h || echo libsqlite3-dev
    command -v curl >/dev/null || echo curl
}

has_header() {
    # clang comes with every Swift toolchain and looks where the build will look.
    if command -v clang >/dev/null; then
        echo "#include <$1>" | clang -E -x c - >/dev/null 2>&1
    else
        [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]]
    fi
}

install_dependencies() {
    if ! command -v swift >/dev/null; then
        echo "Swift is missing: install 6.1 or newer from https://www.swift.org/install/linux/" >&2
        return 69
    fi
    local packages
    mapfile -t packages < <(missing_packages)
    [[ ${#packages[@]} -gt 0 ]] || return 0

    local as_root=()
    if [[ $EUID -ne 0 ]]; then
        as_root=(sudo)
    fi
    if ! command -v apt-get >/dev/null || { [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; }; then
        echo "Missing: ${packages[*]} (Debian's names). Install them, then run this again." >&2
        return 69
    fi
    echo "Missing: ${packages[*]}"
    echo "\$ ${as_root[*]:+sudo }apt-get install ${packages[*]}"
    # Without the network an old list may still do; the installation has the last word.
    "${as_root[@]}" apt-get update -qq || true
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" \
        >/dev/null
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    install_dependencies
fi
