#!/bin/bash
# Boots a systemd of its own, as process 1 of its own namespaces, and runs scenarios.sh in it. Needs root.
#
#   Tests/Systemd/rig.sh --check               status 0 where this machine can; prints "memory" where the memory of units
#                                              can be limited as well
#   Tests/Systemd/rig.sh PROGRAMS RESULTS      PROGRAMS: the directory with reports and reports-run. RESULTS: an empty
#                                              directory that gets a file for each fact, and the journal.
#
# Nothing of the machine is changed: its systemd is not spoken to, its /proc/sys is read-only inside, and the control
# groups are below one of our own, which is removed at the end. Mounts and processes go with their namespaces.
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
shipped=$here/../../Examples
manager=/lib/systemd/systemd
limit=60

case $1 in
    --check)
        [[ $(id -u) == 0 && -x $manager && -x /usr/bin/python3 ]] || exit 1
        for program in unshare timeout ldconfig ldd journalctl systemd-sysusers systemd-tmpfiles; do
            command -v "$program" >/dev/null || exit 1
        done
        # shellcheck disable=SC2016
        exec unshare -fpmuinC --mount-proc --propagation private bash -ec '
            mount -t tmpfs none /tmp && mkdir /tmp/cgroup && mount -t cgroup2 none /tmp/cgroup && mkdir /tmp/cgroup/"$0"
            rmdir /tmp/cgroup/"$0"
            grep -ow memory /tmp/cgroup/cgroup.subtree_control || true' "reports-rig-check-$$" 2>/dev/null
        ;;
    --inside | --boot) ;;
    *) exec unshare --mount --propagation private "${BASH_SOURCE[0]}" --inside "$(realpath "$1")" "$(realpath "$2")" ;;
esac
programs=$2 results=$3

# A control group of our own, in which everything ends when the time is over or this script does.
if [[ $1 == --inside ]]; then
    work=$(mktemp -d "${TMPDIR:-/tmp}/reports-rig.XXXXXX")
    mount -t tmpfs -o mode=755 none "$work"
    mkdir "$work/cgroup" "$work/root"
    mount -t cgroup2 none "$work/cgroup"
    group=$work/cgroup/reports-rig-$$
    mkdir "$group"
    clean() {
        echo 1 >"$group/cgroup.kill" || true
        # A group can be removed a moment after its last process has ended.
        for _ in {1..100}; do
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
            [[ -e $group ]] || break
            sleep 0.05
        done
        umount --recursive --lazy "$work"
        rmdir "$work"
    }
    trap clean EXIT
    (
        echo "$BASHPID" >"$group/cgroup.procs"
        exec timeout -s KILL "$limit" unshare -fpmuinC --kill-child=KILL --mount-proc --propagation private \
            "${BASH_SOURCE[0]}" --boot "$programs" "$results" "$work/root"
    ) || true
    [[ -e $results/ended ]] || {
        echo "rig: the systemd inside has not come to the end of its work within $limit s" >&2
        exit 1
    }
    exit 0
fi

# The machine's programs, and a system of our own around them.
root=$4
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir -p "$root"/{usr,etc/systemd/system,proc,sys,dev,run,tmp,var/lib,var/log,root,w,oldroot}
mount --rbind /usr "$root/usr"
for name in bin sbin lib lib64; do
    if [[ -L /$name ]]; then
        ln -s "$(readlink "/$name")" "$root/$name"
    elif [[ -d /$name ]]; then
        mkdir "$root/$name" && mount --bind "/$name" "$root/$name"
    fi
done
mount -t proc proc "$root/proc"
# For the pattern of core files and all else that belongs to the kernel and not to a namespace.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
# Not the machine's: journald makes /dev/log.
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"
done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

# The tool where the shipped units look for it, and the libraries of a debug build, wherever they are.
mount -t tmpfs -o mode=755 tmpfs "$root/usr/local"
mkdir "$root"/usr/local/{bin,lib}
for program in reports reports-run; do
    touch "$root/usr/local/bin/$program"
    mount --bind "$programs/$program" "$root/usr/local/bin/$program"
done
cp -r /etc/ld.so.conf /etc/ld.so.conf.d "$root/etc/" 2>/dev/null || true
number=0
for folder in $(ldd "$programs"/reports{,-run} | sed -n 's|.* => \(/.*\)/[^/]* (.*|\1|p' | sort -u); do
    [[ $folder == /lib* || $folder == /usr/lib/*-linux-gnu* ]] && continue
    number=$((number + 1))
    mkdir "$root/usr/local/lib/$number"
    mount --bind "$folder" "$root/usr/local/lib/$number"
    echo "/usr/local/lib/$number" >>"$root/etc/ld.so.conf"
done
ldconfig -r "$root" 2>/dev/null

printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\nshop:x:990:990::/:/usr/sbin/nologin\n' \
    >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\nshop:x:990:\n' >"$root/etc/group"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
mkdir "$root/etc/reports" "$root/w/results"
systemd-sysusers --root="$root" "$shipped/debian/sysusers.conf"
mkdir "$root/etc/tmpfiles.d"
cp "$shipped/debian/tmpfiles.conf" "$root/etc/tmpfiles.d/reports.conf"
cp "$here"/* "$shipped/systemd/reports-run.conf" "$root/w/"
mount --bind "$results" "$root/w/results"

# All units that there are: those of the machine are not looked at.
units=$root/etc/systemd/system
cp "$shipped"/systemd/reports{-watch.service,.service,.timer} /lib/systemd/system/systemd-journald.{service,socket} \
    "$units/"
for name in sysinit basic network-online timers shutdown; do
    printf '[Unit]\nDefaultDependencies=no\n' >"$units/$name.target"
done
cat >"$units/rig.target" <<END
[Unit]
DefaultDependencies=no
Requires=systemd-journald.service
After=systemd-journald.service
Wants=rig.service
END
cat >"$units/rig.service" <<END
[Unit]
DefaultDependencies=no
After=systemd-journald.service
[Service]
Type=oneshot
ExecStart=/bin/bash /w/scenarios.sh
StandardOutput=append:/w/results/log
StandardError=append:/w/results/log
END

cd "$root"
pivot_root . oldroot
umount -l /oldroot
exec env -i container=test PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/etc/systemd/system \
    "$manager" --system --unit=rig.target --show-status=no --log-level=info --log-target=journal
