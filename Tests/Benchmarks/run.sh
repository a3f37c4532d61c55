#!/bin/bash
# Measures the tool against what a user would pick instead; see README.md. Without options: everything, in release.
#
#   --short            little of everything, on the debug build: shows that the benchmark runs, its figures mean nothing
#   --rows A,B         only these rows
#   --output DIR       where the table, the JSON and the plots go; .build-benchmarks/results if not given
#   --programs DIR     measures the programs there, and builds nothing
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=Tests/install-dependencies.sh
source Tests/install-dependencies.sh

# What the programs are measured against and with, besides what a build needs.
missing_packages() {
    has_header zlib.h || echo zlib1g-dev
    has_header sqlite3.h || echo libsqlite3-dev
    has_header openssl/evp.h || echo libssl-dev
    # The C library's headers are there wherever Swift links; the compiler may be Swift's own.
    has_command cc || has_command clang || echo gcc
    has_command python3 || echo python3
    has_command curl || echo curl
    has_command gzip || echo gzip
    has_command pigz || echo pigz
    has_command openssl || echo openssl
    has_command unshare || echo util-linux
    has_command nginx && compgen -G '/usr/*/nginx/modules/ngx_http_echo_module.so' >/dev/null ||
        echo nginx-light libnginx-mod-http-echo | tr ' ' '\n'
}

is_short=0
output=.build-benchmarks/results
programs=
arguments=()
while (($# > 0)); do
    case $1 in
        --short) is_short=1 arguments+=("$1") ;;
        --output) output=${2:?--output needs a directory} && shift ;;
        --programs) programs=${2:?--programs needs a directory} && shift ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

install_dependencies benchmarks
# What leads to the user's own proxy would lead the measured requests there, too.
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
if [[ -z $programs ]]; then
    build=(swift build)
    # A directory of its own, because the flags of the released form would have everything else built anew.
    ((is_short)) || build+=(-c release --static-swift-stdlib --scratch-path .build-benchmarks)
    for product in reports CollectBenchmark FleetSimulation; do
        "${build[@]}" --product "$product" >&2
    done
    programs=$("${build[@]}" --show-bin-path)
fi
mkdir -p "$output"
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/benchmark.py" --output "$output" --programs "$programs" \
    ${arguments[@]+"${arguments[@]}"}
