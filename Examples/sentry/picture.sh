#!/bin/bash
# Shows what a crash of a Swift program looks like in Sentry: crashes one, sends its report to a Sentry-compatible server
# on this machine (Bugsink), and takes a picture of the event's two pages, one above the other.
#
#   Examples/sentry/picture.sh [--stay] [FILE]     FILE is Examples/sentry/event.png by default
#
# With --stay the server goes on until Ctrl-C, so that you can look around in it. What it makes is in a temporary
# directory that is removed at the end. Bugsink is installed with pip below the user's cache, Chromium with apt.
set -euo pipefail
stay=
if [[ ${1:-} == --stay ]]; then
    stay=1
    shift
fi
picture=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/event.png}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=Tests/install-dependencies.sh
source Tests/install-dependencies.sh
# In pixels: of the page with the stack trace the beginning, of the one with the details what comes below the first list.
width=1200 trace_height=755 details_top=842 details_height=592
# Larger ones do not belong into a repository.
largest_picture=300000

work=$(mktemp -d "${TMPDIR:-/tmp}/sentry.XXXXXX")
server_pid=
cleanup() {
    local status=$?
    trap - EXIT
    if [[ -n $server_pid ]]; then
        kill "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

heading() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'picture.sh: FAILED: %s\n' "$*" >&2
    exit 1
}
run() {
    printf '$ %s\n' "${*//"$work"/\$work}"
    "$@"
}
# field NAME: the first value of a text in a line of JSON, from standard input.
field() { grep -o "\"$1\": \"[^\"]*\"" | head -1 | cut -d '"' -f 4; }

browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name"; then return; fi
    done
    return 1
}

# shoot NAME URL HEIGHT: a picture of the first so many pixels of a page.
shoot() {
    local options=(--headless --disable-gpu --hide-scrollbars --window-size="$width,$3" --user-data-dir="$work/browser")
    # A browser of root's has no sandbox to run in.
    if [[ $EUID -eq 0 ]]; then options+=(--no-sandbox); fi
    "$(browser)" "${options[@]}" --virtual-time-budget=5000 --screenshot="$work/$1.png" "$2" >"$work/browser.log" 2>&1 \
        && [[ -s $work/$1.png ]] || { cat "$work/browser.log" >&2; fail "the browser took no picture of $2"; }
}

heading "Install what is missing, and build the tool (the first time takes some minutes)"
install_dependencies
browser >/dev/null || install_packages chromium fonts-dejavu-core
Tests/Judges/judge.sh install bugsink
[[ -e ${XDG_CACHE_HOME:-$HOME/.cache}/reports-tests/judges/bugsink.installed ]] || fail "there is no Bugsink"
run swift build --product reports
PATH=$(swift build --show-bin-path):$PATH
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

heading "Start a Sentry-compatible server"
mkdir "$work/bugsink"
Tests/Judges/judge.sh serve bugsink 0 "$work/bugsink" --open >"$work/ready" 2>"$work/bugsink.log" &
server_pid=$!
for _ in {1..300}; do
    [[ -s $work/ready ]] && break
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
done
[[ -s $work/ready ]] || { cat "$work/bugsink.log" >&2; fail "the server did not start"; }
server=$(field url <"$work/ready")
dsn=$(field dsn <"$work/ready")
echo "$server with the DSN $dsn"

heading "Crash a Swift program: the Swift runtime writes its report into the spool"
export REPORTS_SPOOL=$work/spool REPORTS_ENDPOINT="sentry+$dsn"
mkdir -p "$REPORTS_SPOOL/incoming/shop@2.1.0"
chmod 700 "$REPORTS_SPOOL" "$REPORTS_SPOOL/incoming"
mkdir "$work/src"
cp Examples/sentry/shop.swift "$work/src/"
# So that the paths in the report are short.
(cd "$work/src" && swiftc -g -Onone shop.swift -o shop)
export SWIFT_BACKTRACE="enable=yes,format=json,output-to=$REPORTS_SPOOL/incoming/shop@2.1.0,interactive=no"
# The braces keep the shell's own word about the crash out of the output.
status=0
{ (cd "$work/src" && ./shop) >"$work/shop.log" 2>&1; } 2>/dev/null || status=$?
unset SWIFT_BACKTRACE
((status > 128)) || fail "the program did not crash (status $status)"
[[ -n $(find "$REPORTS_SPOOL/incoming" -type f) ]] || fail "the crash left no report"

heading "Submit"
export REPORTS_ANNOTATIONS=$'host=web-3\nenvironment=production\nregion=eu-west\nuser.id=u-17'
run reports submit
run reports list

heading "What the server has stored"
Tests/Judges/judge.sh bugsink "$work/bugsink" events >"$work/events"
[[ $(wc -l <"$work/events") == 1 ]] || fail "the server has not stored one event: $(cat "$work/events")"
page=$server$(field page <"$work/events")
echo "$page"

heading "Take a picture of its pages"
shoot trace "$page" "$trace_height"
shoot details "${page}details/" $((details_top + details_height))
cat >"$work/event.html" <<END
<body style="margin: 0">
<img src="trace.png" style="display: block">
<div style="height: ${details_height}px; overflow: hidden">
<img src="details.png" style="display: block; margin-top: -${details_top}px">
</div>
END
shoot event "file://$work/event.html" $((trace_height + details_height))
size=$(stat -c %s "$work/event.png")
((size <= largest_picture)) || fail "the picture has $size bytes, more than $largest_picture"
cp "$work/event.png" "$picture"
echo "$picture: $size bytes"

if [[ -n $stay ]]; then
    printf '\nOpen %s in a browser; Ctrl-C ends the server.\n' "$page"
    wait "$server_pid"
fi
