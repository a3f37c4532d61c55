#!/bin/bash
# Installs, upgrades, downgrades, removes and purges the Debian package, with undelivered reports in the spool all the
# while. The machine's own files are only read: all of it happens in a copy of them in memory, which is gone at the end.
#
#   Tests/package-life.sh OLD.deb NEW.deb ENDPOINT        as root; something has to accept reports at ENDPOINT
set -euo pipefail

if [[ ${1:-} != --inside ]]; then
    exec unshare --mount --propagation private "${BASH_SOURCE[0]}" --inside "$@"
fi
old=$(realpath "$2") new=$(realpath "$3") endpoint=$4

work=$(mktemp -d "${TMPDIR:-/tmp}/reports-life.XXXXXX")
# The mounts go with the namespace.
trap 'umount --recursive --lazy "$work"; rmdir "$work"' EXIT
mount -t tmpfs -o mode=755 none "$work"
mkdir "$work"/{upper,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" none "$work/root"
mount -t proc none "$work/root/proc"
mount --rbind /dev "$work/root/dev"
mount -t tmpfs -o mode=1777 none "$work/root/tmp"
cp "$old" "$work/root/tmp/old.deb"
cp "$new" "$work/root/tmp/new.deb"

settings=/etc/reports/reports.json
spool=/var/lib/reports

inside() {
    chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"
}
as() { inside setpriv --reuid "$1" --regid "$(inside id -g "$1")" --clear-groups "${@:2}"; }
fail() {
    echo "package-life: FAILED: $*" >&2
    exit 1
}
# expect STATUS COMMAND…
expect() {
    local wanted=$1 status=0
    shift
    echo "\$ $*"
    "$@" || status=$?
    [[ $status == "$wanted" ]] || fail "$*: status $status instead of $wanted"
}
mode() { inside stat -c '%U:%G %a' "$1"; }
expect_mode() { [[ $(mode "$1") == "$2" ]] || fail "$1 is $(mode "$1") instead of $2"; }
# What the unit runs, as the unit runs it.
submit() { as reports env REPORTS_SPOOL=$spool reports submit; }
# The bytes of all reports: no step may change them.
digest() { inside find $spool/queued $spool/incoming -type f -exec sha256sum {} + | sort; }
expect_kept() { [[ $(digest) == "$kept" ]] || fail "$1: the spool holds $(digest) instead of $kept"; }
configure() { inside sh -c "cat >$settings" <<<"{\"endpoint\": \"$1\"}"; }

check_installation() {
    expect 0 inside dpkg -i /tmp/old.deb
    expect_mode $spool 'reports:reports 711'
    expect_mode $spool/incoming 'reports:reports 3733'
    expect_mode $settings 'root:reports 640'
    expect_mode $spool/VERSION 'reports:reports 600'
    [[ -z $(inside find /etc/systemd/system -name 'reports*') ]] || fail "a unit is enabled"
    # Nothing names a server, and nothing is wrong.
    expect 78 submit
    [[ $(inside reports status --json) == *"\"spool\":\"$spool\""* ]] \
        || fail "root's default is not the machine's spool"
    expect 0 inside reports doctor
    ! inside systemd-analyze verify --man=no /lib/systemd/system/reports{,-check,-metrics}.{service,timer} \
        /lib/systemd/system/reports-watch.service 2>&1 | grep -E '^reports' || fail "systemd finds fault with a unit"
    expect 0 inside test -x /usr/bin/reports-run
}

# One report of root's by the tool, one of any user's as a drop; the server is dead.
leave_reports() {
    inside sh -c 'echo "a crash of root" >/tmp/crash' && expect 0 inside reports add /tmp/crash --kind crash
    as nobody sh -c "echo 'a crash of nobody' >$spool/incoming/a.tmp && mv $spool/incoming/a.tmp $spool/incoming/a"
    configure 'http://127.0.0.1:9/{id}'
    expect 75 submit
    kept=$(digest)
    [[ $(wc -l <<<"$kept") == 2 ]] || fail "the spool holds: $kept"
}

change_versions() {
    local step
    for step in new old new; do
        expect 0 inside dpkg -i "/tmp/$step.deb"
        expect_kept "after installing $step.deb"
        [[ $(inside cat $settings) == *127.0.0.1:9* ]] || fail "the administrator's settings are gone"
        expect_mode $settings 'root:reports 640'
    done
}

remove_and_purge() {
    local said
    said=$(inside dpkg -r reports) || fail "the package cannot be removed"
    [[ $said == *"$spool is kept, with reports that no server has (files: 2)"* ]] \
        || fail "removing the package does not say what it keeps"
    expect_kept "after removing the package"
    inside test -e $settings || fail "removing the package took the settings"
    expect 0 inside dpkg -i /tmp/new.deb
    said=$(inside dpkg -P reports) || fail "the package cannot be purged"
    echo "$said"
    expect_kept "after purging the package"
    [[ $said == *"$spool is kept: it holds reports that no server has (files: 2)"* ]] \
        || fail "purging does not say what it keeps"
    ! inside test -e /etc/reports || fail "purging left the settings"
    inside id reports >/dev/null || fail "purging took the user who owns the reports"
}

deliver_and_purge() {
    expect 0 inside dpkg -i /tmp/new.deb
    configure "$endpoint"
    # Some minutes may have to pass until the dead server's reports are due; a person does not wait.
    expect 0 inside reports retry --all
    expect 0 submit
    [[ $(inside reports list --state delivered --json | wc -l) == 2 ]] || fail "not all was delivered"
    expect 0 inside dpkg -P reports
    ! inside test -e $spool || fail "purging left a spool with nothing in it"
}

check_installation
leave_reports
change_versions
remove_and_purge
deliver_and_purge
echo "package-life: OK"
