#!/bin/bash
# Everything a change has to pass. The last line is the test runner's own; the exit status speaks for all steps.
#
#   REPORTS_ALERTS=1    installs Prometheus and node-exporter, and follows alerts through them (half a minute more)
#   REPORTS_RUNTIMES=1  installs the languages whose programs die in the tests, as far as Debian has them
#   REPORTS_JUDGES=1    runs the long forms of the tests with several destinations, and installs faketime for them
#   REPORTS_RELEASE=1   builds the released form of the tool as well (5 minutes and more)
#   REPORTS_PACKAGE=1   installs, upgrades, removes and purges the Debian package in a copy of this machine (as root)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=Tests/install-dependencies.sh
source Tests/install-dependencies.sh

logs=$(mktemp -d "${TMPDIR:-/tmp}/reports-run.XXXXXX")
trap 'rm -rf "$logs"' EXIT

failed=()
# step NAME LOG COMMAND…: a failed step fails the run, but the others still have their say.
step() {
    local name=$1 log=$logs/$2
    shift 2
    printf '\n== %s\n$ %s\n' "$name" "$*"
    "$@" 2>&1 | tee "$log" || failed+=("$name")
}

# Only files compiled in this run can warn; a clean checkout compiles all of them.
check_warnings() {
    local package
    package=$(basename "$(pwd -P)")
    printf '\n== No warnings in our own code\n'
    # The second form is the package manager's, about our manifest; the third is about code that a macro made for us.
    if grep -E "^/.*/(Sources|Tests|Examples)/.*: warning:|^warning: '${package,,}':|^macro expansion .*: warning:" "$logs/build" \
        | grep -vF /.build/ | sort -u; then
        failed+=("warnings")
    fi
}

install_dependencies tests
step "Format" format swift format lint --strict --recursive Sources Tests Examples Package.swift
step "Layers and names" layers Tests/check-layers.sh
step "Build" build swift build --build-tests
if [[ ${#failed[@]} -gt 0 && ${failed[-1]} == Build ]]; then
    printf '\nFAILED: %s\n' "${failed[*]}"
    exit 1
fi
check_warnings
# All at once, as is the default, a few hundred tests starve each other until one of them runs out of time.
width=()
# Read to its end: a program whose reader leaves early fails, and so would the question.
options=$(swift test --help-hidden 2>/dev/null || true)
if [[ $options == *--experimental-maximum-parallelization-width* ]]; then
    width=(--experimental-maximum-parallelization-width 12)
fi
# What leads to this machine's own proxies would lead the tests' requests there, too.
step "Tests" test env -u http_proxy -u all_proxy -u ALL_PROXY -u https_proxy -u HTTPS_PROXY -u no_proxy -u NO_PROXY \
    swift test ${width[@]+"${width[@]}"}
# Nobody shall take a suite that this machine cannot run for one that has passed.
if grep -E 'skipped: ' "$logs/test" | sort -u >"$logs/skipped"; then
    printf '\n== Skipped on this machine\n'
    cat "$logs/skipped"
fi
step "Documentation" documentation Tests/build-documentation.sh
step "Examples, from end to end" examples Examples/quickstart.sh
# Little of everything: it fails when the benchmark does not run, never over a figure.
step "Benchmark, short form" benchmark Tests/Benchmarks/run.sh --short --programs "$(swift build --show-bin-path)" \
    --output "$logs/results"
if [[ ${REPORTS_RELEASE:-0} == 1 ]]; then
    step "Release build" release swift build -c release --product reports
fi

echo
if ! grep -qE 'Test run with [0-9]+ test' "$logs/test"; then
    failed+=("no test has run")
fi
for name in ${failed[@]+"${failed[@]}"}; do
    printf 'FAILED: %s\n' "$name"
done
# Said again at the end: who keeps only the last lines of a log keeps the ones that tell what has to be mended.
grep -E '^✘ Test .* recorded an issue|^✘ Suite .* recorded an issue' "$logs/test" | head -20 | cut -c 1-600 || true
grep -E 'Test run with [0-9]+ test' "$logs/test" | tail -1 || true
[[ ${#failed[@]} -eq 0 ]]
