#!/bin/bash
# Builds the documentation of the three libraries, then compiles the program on each front page; a warning is an error.
#
#   Tests/build-documentation.sh [DIRECTORY]
#
# With a directory the result stays there, as files that any web server can serve.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

libraries=(Background BackgroundFoundation Reports)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/reports-documentation.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# The first block of Swift on a page.
program() {
    awk '/^```swift$/ { inside = 1; next } inside && /^```$/ { exit } inside' "$1"
}

# The code is never linked, so that modules and the C headers below them are enough.
compile_programs() {
    local modules maps=() map library page
    modules=$(swift build --show-bin-path)/Modules
    for map in .build/checkouts/*/Sources/*/include/module.modulemap Sources/C*/{,include/}module.modulemap; do
        [[ ! -e $map ]] || maps+=(-Xcc "-fmodule-map-file=$map")
    done
    # What brings no map of its own has one made by the build.
    for map in "${modules%/*}"/{C,_C}*.build/module.modulemap; do
        [[ ! -e $map ]] || maps+=(-Xcc "-fmodule-map-file=$map")
    done
    for library in "${libraries[@]}"; do
        page=Sources/$library/Documentation.docc/$library.md
        program "$page" >"$scratch/$library.swift"
        if ! grep -q '^@main$' "$scratch/$library.swift"; then
            echo "$page: there is no program" >&2
            return 1
        fi
        swiftc -swift-version 6 -parse-as-library -warnings-as-errors -emit-sil -o /dev/null -I "$modules" "${maps[@]}" \
            "$scratch/$library.swift"
        echo "compiled the program in $page"
    done
}

# All in one go, so that they can link to each other.
build_documentation() {
    local targets=() library
    for library in "${libraries[@]}"; do targets+=(--target "$library"); done
    swift package --allow-writing-to-directory "$1" generate-documentation "${targets[@]}" \
        --enable-experimental-combined-documentation --warnings-as-errors --output-path "$1"
}

build_documentation "${1:-$scratch/site}"
# Second, because the first builds the modules where they are missing or old.
compile_programs
