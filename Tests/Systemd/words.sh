#!/bin/bash
# What the scenarios are written with.

results=/w/results

# fact NAME TEXT: whole or not there.
fact() {
    printf '%s' "$2" >"$results/.$1"
    mv "$results/.$1" "$results/$1"
}

# await SECONDS COMMAND…: until it succeeds. What changes in systemd, a spool or a file here has no event to wait for.
await() {
    local until=$((SECONDS + $1)) on=
    [[ $- == *x* ]] && on=1
    set +x
    shift
    until "$@"; do
        if ((SECONDS > until)); then
            echo "GIVEN UP: $*" >&2
            return 1
        fi
        sleep 0.03
    done
    [[ -z $on ]] || set -x
}

# A start waits for readiness, in one of the shipped units for ever.
systemctl() { timeout 10 /usr/bin/systemctl "$@"; }

exists() { [[ -e $1 ]]; }
property() { systemctl show --value -p "$2" "$1"; }
# says UNIT PROPERTY PATTERN
says() {
    # shellcheck disable=SC2053
    [[ $(property "$1" "$2") == $3 ]]
}
# The lines of a unit in the journal, as JSON.
lines() {
    journalctl --sync 2>/dev/null || true
    journalctl -o json --no-pager -q _SYSTEMD_UNIT="$1"
}
milliseconds_since() { echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000)); }

# take SPOOL NAME: the next owner takes in what is there, with a server that is not; then the list, and each payload.
take() {
    local status=0 id
    REPORTS_CONFIG=/w/none.json reports submit --spool "$1" --endpoint 'http://127.0.0.1:9/{id}' 2>&1 || status=$?
    fact "$2.status" "$status"
    reports list --spool "$1" --json >"$results/$2.list"
    for id in $(sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p' "$results/$2.list"); do
        reports cat --spool "$1" "$id" >"$results/$2.cat.$id"
    done
}
