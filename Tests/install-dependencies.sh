#!/bin/bash
# Installs what the build needs and the machine does not have, and with `tests` what the tests use besides: without those
# tools the suites that kill the tool, fail its system calls or cut the power are skipped. Sourced by Tests/run.sh and
# Examples/quickstart.sh; by itself it installs all.

# A package is looked for by what it brings, so that one installed by other means counts as well.
missing_packages() {
    has_header zlib.h || echo zlib1g-dev
    has_header sqlite3.h || echo libsqlite3-dev
    has_command curl || echo curl
    [[ ${1:-} == tests ]] || return 0
    has_command strace || echo strace
    has_command mkfs.ext4 || echo e2fsprogs
    has_command mount || echo mount
    { has_command unshare && has_command setpriv; } || echo util-linux
    has_command python3 || echo python3
    # Debian has what makes virtual environments apart from the interpreter.
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    has_command openssl || echo openssl
    # Servers and proxies that are not ours, to test against.
    has_command nginx || echo nginx-light
    has_command tinyproxy || echo tinyproxy-bin
    has_command microsocks || echo microsocks
    # The way of an alert is tried by request alone.
    if [[ ${REPORTS_ALERTS:-0} == 1 ]]; then
        has_command prometheus || echo prometheus
        has_command prometheus-node-exporter || echo prometheus-node-exporter
    fi
    # The tests set the clock of a judge; the long forms set the tool's own as well.
    if [[ ${REPORTS_JUDGES:-0} == 1 ]]; then
        has_command faketime || echo faketime
    fi
    # Programs of more languages die in the tests, and what starts programs is compared with `reports-run`.
    if [[ ${REPORTS_RUNTIMES:-0} == 1 ]]; then
        has_command gcc || echo gcc
        has_command g++ || echo g++
        has_command go || echo golang-go
        has_command javac || echo default-jdk-headless
        has_command node || echo nodejs
        has_command perl || echo perl
        has_command php || echo php-cli
        has_command ruby || echo ruby
        has_command rustc || echo rustc
    fi
    # What makes the Debian package, reads its pages and completes command lines.
    has_command dpkg-shlibdeps || echo dpkg-dev
    has_command mandoc || echo mandoc
    has_command zsh || echo zsh
    has_command fish || echo fish
    if [[ ${REPORTS_PACKAGE:-0} == 1 ]]; then
        has_command lintian || echo lintian
    fi
    # The shell's own `time` cannot tell how much memory a program took.
    [[ -x /usr/bin/time ]] || echo time
}

# Tools of the system's administrator are not in everybody's PATH.
has_command() {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null
}

# A package that brings a server starts it when it is installed, unless the machine's policy says no.
without_services() {
    local policy=/usr/sbin/policy-rc.d status=0 is_ours=
    if [[ ! -e $policy ]]; then
        is_ours=1
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    "$@" || status=$?
    if [[ -n $is_ours ]]; then
        "${as_root[@]}" rm -f "$policy"
    fi
    return "$status"
}

has_header() {
    # clang comes with every Swift toolchain and looks where the build will look.
    if command -v clang >/dev/null; then
        echo "#include <$1>" | clang -E -x c - >/dev/null 2>&1
    else
        [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]]
    fi
}

# install_dependencies [tests]
install_dependencies() {
    if ! command -v swift >/dev/null; then
        echo "Swift is missing: install 6.1 or newer from https://www.swift.org/install/linux/" >&2
        return 69
    fi
    local packages
    mapfile -t packages < <(missing_packages "${1:-}")
    install_packages ${packages[@]+"${packages[@]}"} || return
    if [[ ${1:-} == tests ]]; then
        # What cannot be had fails nothing: the tests that need it are skipped.
        "$(dirname "${BASH_SOURCE[0]}")/Judges/judge.sh" install || echo "No judge can be installed."
    fi
}

# install_packages [NAME…]: Debian's packages, without services, after it has said what it does.
install_packages() {
    local packages=("$@")
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
    without_services "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    install_dependencies tests
fi
