#!/bin/bash
# Makes two Debian packages: reports_VERSION_ARCH.deb with the tool, reports-run, the units, man pages and completions,
# and reports-dbgsym_VERSION_ARCH.deb with the debug symbols. Any user may run it; it writes to .build and to the
# directory that is given.
#
#   Examples/debian/make-package.sh [OUTPUT-DIRECTORY]        the current directory, unless one is given
#
#   REPORTS_BINARY=FILE    packs this executable, and the reports-run beside it, and builds none
#   REPORTS_VERSION=V      the packages' version, instead of the library's
#   SOURCE_DATE_EPOCH=N    the time of every file, instead of the time of the last commit
#
# The same executable and the same commit give the same bytes.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 TZ=UTC
output=$(realpath -- "${1:-.}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

sources=Examples/debian
scratch=.build/package
work=$(mktemp -d "${TMPDIR:-/tmp}/reports-package.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/reports
symbols_root=$work/reports-dbgsym

say() { printf '%s\n' "$*"; }
fail() {
    printf 'make-package: %s\n' "$*" >&2
    exit 1
}

# need COMMAND PACKAGE
need() {
    command -v "$1" >/dev/null || fail "$1 is missing: install the package $2"
}

check_tools() {
    need dpkg-deb dpkg
    need dpkg-shlibdeps dpkg-dev
    need strip binutils
    need objcopy binutils
    need readelf binutils
    need gzip gzip
    [[ -n ${REPORTS_BINARY:-} ]] || command -v swift >/dev/null \
        || fail "swift is missing: install 6.1 or newer from https://www.swift.org/install/linux/"
    [[ -d $output && -w $output ]] || fail "cannot write to $output: name a directory that exists"
}

# The time, the version and the architecture, which stand in names and in files.
settle_facts() {
    if [[ -z ${SOURCE_DATE_EPOCH:-} ]]; then
        SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) \
            || fail "there is no commit to take the time of: set SOURCE_DATE_EPOCH"
    fi
    export SOURCE_DATE_EPOCH
    version=${REPORTS_VERSION:-$(sed -n 's/.*current = "\(.*\)"$/\1/p' Sources/Reports/ReportsVersion.swift)}
    dpkg --validate-version "$version" || fail "\"$version\" is no version of a package"
    architecture=$(dpkg --print-architecture)
    maintainer="${DEBFULLNAME:-The Reports maintainers} <${DEBEMAIL:-reports@packages.invalid}>"
    # The default differs between distributions, and not every dpkg unpacks what the newest one makes.
    export DPKG_DEB_COMPRESSOR_TYPE=${DPKG_DEB_COMPRESSOR_TYPE:-xz}
}

# Prints where the linker finds an archive of the C++ run time; nothing where it is not installed.
archive() {
    local path
    path=$(clang -print-file-name="$1")
    [[ $path != /* ]] || realpath "$path"
}

# A release build with all of Swift in it, position-independent and with every symbol bound at start. libstdc++ and
# libgcc are linked in, too: the linker takes them from a directory that holds nothing but their archives.
build() {
    local archives=$PWD/$scratch/archives name path options=(-c release --static-swift-stdlib --scratch-path "$scratch")
    mkdir -p "$archives"
    for name in libstdc++.a libgcc_eh.a; do
        path=$(archive "$name")
        [[ -z $path ]] || ln -sf "$path" "$archives/$name"
    done
    [[ ! -e $archives/libstdc++.a ]] || options+=(-Xlinker "-L$archives")
    [[ ! -e $archives/libgcc_eh.a ]] || options+=(-Xswiftc -Xclang-linker -Xswiftc -static-libgcc)
    options+=(-Xlinker --as-needed -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now --product reports)
    say "\$ swift build ${options[*]}"
    swift build "${options[@]}" || fail "the build has failed"
    binary=$(swift build -c release --scratch-path "$scratch" --show-bin-path)/reports
    build_run
}

# reports-run has to start at once, and in a container that holds nothing else: it is one static file. Its objects are
# others than those of the tool, so they have a place of their own.
build_run() {
    local options=(-c release -Xswiftc -static-executable --scratch-path "$scratch-run" --product reports-run)
    say "\$ swift build ${options[*]}"
    swift build "${options[@]}" || fail "the build of reports-run has failed"
    run_binary=$(swift build -c release --scratch-path "$scratch-run" --show-bin-path)/reports-run
}

# put MODE FILE TARGET
put() {
    install -D -m "$1" "$2" "$root/$3"
}

# split_symbols FILE TARGET: the program stripped, and its symbols where debuggers look for them: by the identity that
# the linker gave it.
split_symbols() {
    local identity stripped=$work/stripped
    identity=$(readelf -n "$1" 2>/dev/null | sed -n 's/.*Build ID: *//p')
    [[ -n $identity ]] || fail "$1 has no build identity: link it with --build-id"
    build_ids+=${build_ids:+ }$identity
    local place=usr/lib/debug/.build-id/${identity:0:2}/${identity:2}.debug
    mkdir -p "$symbols_root/$(dirname "$place")"
    objcopy --only-keep-debug --compress-debug-sections "$1" "$symbols_root/$place"
    chmod 644 "$symbols_root/$place"
    strip --strip-unneeded --remove-section=.comment --remove-section=.note -o "$stripped" "$1"
    put 755 "$stripped" "$2"
}

# What the programs need of the system, with the versions whose symbols they use. A static one needs nothing.
find_dependencies() {
    local output foreign program programs=()
    for program in "$root"/usr/bin/*; do
        if readelf --dynamic --wide "$program" | grep -q '(NEEDED)'; then programs+=("-e$program"); fi
    done
    # A library that a distribution brings has a version in its name.
    foreign=$(readelf --dynamic --wide "${programs[@]#-e}" \
        | sed -n 's/.*(NEEDED).*\[\(.*\.so\)\]$/\1/p' | sort -u | paste -sd ' ')
    if [[ -n $foreign ]]; then
        [[ -n ${REPORTS_BINARY:-} ]] || fail "the program needs libraries that no package brings: $foreign"
        say "make-package: warning: on other machines it will not start, because no package brings $foreign" >&2
    fi
    mkdir -p "$work/source/debian"
    printf 'Source: reports\n\nPackage: reports\nArchitecture: any\n' >"$work/source/debian/control"
    output=$(cd "$work/source" && dpkg-shlibdeps -O "${programs[@]}" 2>"$work/shlibdeps.log") \
        || fail "what the program needs cannot be told: $(tail -1 "$work/shlibdeps.log")"
    dependencies=$(sed -n 's/^shlibs:Depends=//p' <<<"$output")
}

install_files() {
    local unit shell
    for unit in Examples/systemd/*.service Examples/systemd/*.timer; do
        sed 's|^ExecStart=/usr/local/bin/|ExecStart=/usr/bin/|' "$unit" >"$work/unit"
        put 644 "$work/unit" "lib/systemd/system/${unit##*/}"
    done
    put 644 $sources/sysusers.conf usr/lib/sysusers.d/reports.conf
    put 644 $sources/tmpfiles.conf usr/lib/tmpfiles.d/reports.conf
    put 640 $sources/settings.json etc/reports/reports.json
    put 644 $sources/lintian-overrides usr/share/lintian/overrides/reports
    for shell in bash zsh fish; do
        "$binary" --generate-completion-script $shell >"$work/$shell" || fail "$binary gives no completion for $shell"
    done
    # It is read by a shell, never run.
    sed -i '1{/^#!/d}' "$work/bash"
    put 644 "$work/bash" usr/share/bash-completion/completions/reports
    put 644 "$work/zsh" usr/share/zsh/vendor-completions/_reports
    put 644 "$work/fish" usr/share/fish/vendor_completions.d/reports.fish
    install_documents
}

# zip FILE TARGET: without a name and a time of its own.
zip() {
    mkdir -p "$root/$(dirname "$2")"
    gzip -9nc "$1" >"$root/$2"
}

install_documents() {
    local documents=usr/share/doc/reports page file
    for page in Examples/man/*.[1-9]; do
        zip "$page" "usr/share/man/man${page##*.}/${page##*/}.gz"
    done
    put 644 $sources/copyright $documents/copyright
    notices >"$work/NOTICE"
    zip "$work/NOTICE" $documents/NOTICE.gz
    zip <(changelog) $documents/changelog.gz
    for file in $sources/examples/* Examples/prometheus/* Examples/systemd/*.conf; do
        [[ ! -f $file ]] || put 644 "$file" "$documents/examples/${file##*/}"
    done
}

# The notices of the packages that the copyright names as linked in: their licence asks to pass them on.
notices() {
    local name checkouts=$scratch/checkouts
    [[ -d $checkouts ]] || checkouts=.build/checkouts
    for name in $(sed -n 's/.*"identity" : "\(.*\)".*/\1/p' Package.resolved); do
        grep -qx "Files: $name/\*" $sources/copyright || continue
        [[ -d $checkouts/$name ]] || fail "the sources of $name are missing: run 'swift package resolve'"
        [[ ! -e $checkouts/$name/NOTICE.txt ]] || printf '%s\n\n' "$name" "$(<"$checkouts/$name/NOTICE.txt")"
    done
}

changelog() {
    printf 'reports (%s) unstable; urgency=medium\n\n' "$version"
    printf '  * Built from the sources by Examples/debian/make-package.sh.\n\n'
    printf ' -- %s  %s\n' "$maintainer" "$(date -R -d "@$SOURCE_DATE_EPOCH")"
}

# Sizes in KiB, each file and directory rounded up: the same on every file system.
installed_size() {
    find "$1" -path "$1/DEBIAN" -prune -o -printf '%y %s\n' \
        | awk '{ sum += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print sum }'
}

# control ROOT NAME: the fields that both packages have; what stands on standard input follows them.
control() {
    mkdir -p "$1/DEBIAN"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: %s\n' "$2" "$version" "$architecture"
        printf 'Maintainer: %s\nInstalled-Size: %s\n' "$maintainer" "$(installed_size "$1")"
        cat
    } >"$1/DEBIAN/control"
}

describe_package() {
    local users='systemd | systemd-standalone-sysusers' rooms='systemd | systemd-standalone-tmpfiles'
    {
        printf 'Depends: %s, %s, %s\n' "$dependencies" "$users" "$rooms"
        cat $sources/control
    } | control "$root" reports
    local script
    for script in postinst prerm postrm; do install -m 755 "$sources/$script" "$root/DEBIAN/$script"; done
    echo /etc/reports/reports.json >"$root/DEBIAN/conffiles"
}

describe_symbols() {
    mkdir -p "$symbols_root/usr/share/doc"
    ln -s reports "$symbols_root/usr/share/doc/reports-dbgsym"
    control "$symbols_root" reports-dbgsym <<END
Depends: reports (= $version)
Section: debug
Priority: optional
Auto-Built-Package: debug-symbols
Build-Ids: $build_ids
Description: debug symbols for reports
END
}

# pack ROOT
pack() {
    local package=$output/${1##*/}_${version}_${architecture}.deb
    (cd "$1" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum) \
        >"$1/DEBIAN/md5sums"
    # It gives every file that is newer the time of SOURCE_DATE_EPOCH.
    dpkg-deb --root-owner-group --build "$1" "$package" >/dev/null
    say "made $package ($(du -h --apparent-size "$package" | cut -f 1))"
}

check_tools
settle_facts
if [[ -n ${REPORTS_BINARY:-} ]]; then
    binary=$(realpath -- "$REPORTS_BINARY")
    [[ -x $binary ]] || fail "$REPORTS_BINARY is no program"
    run_binary=$(dirname "$binary")/reports-run
    [[ -x $run_binary ]] || fail "there is no reports-run beside $REPORTS_BINARY"
else
    build
fi
say "packing $binary as version $version for $architecture"
build_ids=
split_symbols "$binary" usr/bin/reports
split_symbols "$run_binary" usr/bin/reports-run
find_dependencies
say "it needs $dependencies"
install_files
describe_package
describe_symbols
pack "$root"
pack "$symbols_root"
