#!/bin/bash
# Shows the whole way of a report on this machine: a crash, a spool, a server that says "not now", and the delivery.
# Everything happens on the loopback interface and in a temporary directory that is removed at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=Tests/install-dependencies.sh
source Tests/install-dependencies.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/quickstart.XXXXXX")
collector_pid=
build_pid=
cleanup() {
    local status=$?
    trap - EXIT
    for pid in $build_pid $collector_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

heading() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'quickstart: FAILED: %s\n' "$*" >&2
    exit 1
}

# Shows a command as one would type it, with the temporary paths shortened to $work.
show() {
    local word line='$' shortened=\$work
    for word in "$@"; do
        word=${word//"$work"/$shortened}
        case $word in
            *[!A-Za-z0-9_./:=,\$@%+-]*) line+=" '$word'" ;;
            *) line+=" $word" ;;
        esac
    done
    printf '%s\n' "$line"
}

run() {
    show "$@"
    "$@"
}

dropped_files() { find "$REPORTS_SPOOL/incoming" -type f; }
checksums() { sha256sum "$@" | cut -d ' ' -f 1; }

# A build says hundreds of lines, which nobody reads unless it fails.
build() {
    local log=$work/build.log started=$SECONDS
    printf '$ swift build --product %s\n' "$1"
    swift build --product "$1" >"$log" 2>&1 &
    build_pid=$!
    while kill -0 "$build_pid" 2>/dev/null; do
        sleep 1
        if (((SECONDS - started) % 20 == 19)); then
            printf '  %3d s  %s\n' $((SECONDS - started)) "$(grep -v "^ " "$log" | tail -1 | cut -c 1-80)"
        fi
    done
    if ! wait "$build_pid"; then
        cat "$log" >&2
        fail "the build of $1 failed"
    fi
    build_pid=
}

heading "Build (the first time takes some minutes; later ones seconds)"
install_dependencies
for product in reports Collector EmbeddedReporter; do
    build "$product"
done
PATH=$(swift build --show-bin-path):$PATH

# What the user may have set for other purposes.
unset SWIFT_BACKTRACE
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

heading "Start a server that receives reports"
server_command=(Collector --store "$work/store" --port 0 --port-file "$work/port")
show "${server_command[@]}"
"${server_command[@]}" >"$work/collector.log" 2>&1 &
collector_pid=$!
for _ in {1..100}; do
    [[ -s $work/port ]] && break
    kill -0 "$collector_pid" 2>/dev/null || break
    sleep 0.1
done
[[ -s $work/port ]] || { cat "$work/collector.log" >&2; fail "the server did not start"; }
server=http://127.0.0.1:$(<"$work/port")
echo "listening on $server"
export REPORTS_SPOOL=$work/spool REPORTS_ENDPOINT="$server/reports/{id}"
echo "\$ export REPORTS_SPOOL=\$work/spool REPORTS_ENDPOINT='$REPORTS_ENDPOINT'"

heading "Crash a Swift program: the Swift runtime writes its report into the spool"
crash=(EmbeddedReporter --spool "$REPORTS_SPOOL" --endpoint "$REPORTS_ENDPOINT" --crash)
status=0
show "${crash[@]}"
# The braces keep the shell's own word about the crash out of the output.
{ "${crash[@]}" 2>&1; } 2>/dev/null || status=$?
((status > 128)) || fail "the program did not crash (status $status)"
run ls "$REPORTS_SPOOL/incoming/embedded-reporter@1.0"
[[ -n $(dropped_files) ]] || fail "the crash left no report (is swift-backtrace part of the toolchain?)"

heading "Drop other programs' reports: any complete file renamed into incoming/"
mkdir "$work/drops"
if [[ -d Tests/DiagnosisTests/Fixtures/open ]]; then
    cp Tests/DiagnosisTests/Fixtures/open/* "$work/drops/"
else
    printf 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no\n' >"$work/drops/uncaught.txt"
    printf 'panic: no such order\n\ngoroutine 1 [running]:\nmain.main()\n' >"$work/drops/panic.txt"
fi
# The same content under another name is the same report and is sent once.
first=$(find "$work/drops" -type f -size +0 | sort | head -1)
cp "$first" "$work/drops/again-${first##*/}"
echo "\$ mv \$work/drops/* \$work/spool/incoming/"
mv "$work"/drops/* "$REPORTS_SPOOL/incoming/"
mapfile -t drops < <(dropped_files)
checksums "${drops[@]}" >"$work/dropped"
sort -u "$work/dropped" >"$work/expected"
dropped=$(wc -l <"$work/dropped")
expected=$(wc -l <"$work/expected")
echo "$dropped files, $expected different payloads"

heading "Make the server say \"503, come back in 3 seconds\" once"
run curl -sS -X PUT "$server/script" -d '[{"status": 503, "retry_after": "3"}]'

heading "Submit: it waits as long as the server asked, then delivers all"
started=$SECONDS
status=0
run reports submit --wait 10 || status=$?
echo "took $((SECONDS - started)) s"
show curl -sS "$server/requests"
curl -sS "$server/requests" | grep -o '{"method"[^}]*}' >"$work/requests"
head -6 "$work/requests" \
    | sed -E 's/.*"method":"([A-Z]*)","path":"([^"]{21}).*"status":([0-9]*),"time":"([^"]*)".*/\4  \1 \2…  \3/'
[[ $status -eq 0 ]] || fail "submit ended with status $status"
((SECONDS - started >= 3)) || fail "submit did not wait for Retry-After"

heading "Look at the spool"
run reports list --limit 8
refused_path=$(grep '"status":503' "$work/requests" | grep -o '/reports/[0-9a-f]*')
refused_id=${refused_path##*/}
run reports show "${refused_id:0:12}"
run reports status

heading "Crash once more: the program itself sends that report at its next start"
show "${crash[@]}"
{ "${crash[@]}" >"$work/crash.log" 2>&1; } 2>/dev/null || true
[[ -n $(dropped_files) ]] || fail "the second crash left no report"
mapfile -t drops < <(dropped_files)
checksums "${drops[@]}" >>"$work/expected"
expected=$((expected + 1))
run "${crash[@]:0:5}"

heading "What the server holds"
show curl -sS "$server/reports"
curl -sS "$server/reports" >"$work/held.json"
sed 's/},{/}\n{/g' "$work/held.json" \
    | sed -E 's/.*"id":"([0-9a-f]{12}).*"kind":"([a-z]*)".*"received":([0-9]*),"size":([0-9]*).*/\1 \2 \4 \3/' \
    | awk 'NR <= 5 { printf "%s…  %-10s  %8d bytes  received %d time(s)\n", $1, $2, $3, $4 }
           END { if (NR > 5) printf "and %d more\n", NR - 5 }'

heading "Check: each payload arrived, and exactly once"
grep -o '"id":"[0-9a-f]*"' "$work/held.json" | cut -d '"' -f 4 | sort >"$work/arrived"
sort -u -o "$work/expected" "$work/expected"
if ! diff "$work/expected" "$work/arrived" >"$work/difference"; then
    cat "$work/difference" >&2
    fail "the server holds other reports than were dropped"
fi
requests=$(curl -sS "$server/requests")
created=$(grep -o '"201":[0-9]*' <<<"$requests" | cut -d : -f 2)
refused=$(grep -o '"503":[0-9]*' <<<"$requests" | cut -d : -f 2)
[[ $created == "$expected" ]] || fail "$created deliveries of $expected payloads"
[[ $refused == 1 ]] || fail "$refused refusals instead of 1"
! grep -q '"200":' <<<"$requests" || fail "something was sent twice: $requests"
left=$(find "$REPORTS_SPOOL"/{incoming,taken,collected,queued,parked,tmp} -type f)
[[ -z $left ]] || fail "left in the spool: $left"
echo "$expected different payloads dropped, $created delivered once each, 1 asked to wait, nothing left in the spool"
printf '\nquickstart: OK\n'
