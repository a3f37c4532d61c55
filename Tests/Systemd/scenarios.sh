#!/bin/bash
# Runs inside of the rig as its one service: plays every scenario, at the same time, and writes what it sees to
# /w/results, one file a fact. It judges nothing; a scenario in which something does not come to pass ends early, and
# its facts are missing.
set -euo pipefail
cd /w
# shellcheck source=Tests/Systemd/words.sh
source /w/words.sh

notify() {
    systemctl start --no-block patient.service
    await 10 exists results/notify.pid
    await 10 says patient.service StatusText 'the child is at work'
    # Neither the wrapper nor a STATUS of the child makes it ready.
    fact notify.before "$(property patient.service ActiveState)"
    touch go/patient
    await 10 says patient.service ActiveState active
    fact notify.after "$(property patient.service ActiveState)"
    fact notify.status "$(property patient.service StatusText)"
    fact notify.child "$([[ $(property patient.service MainPID) == $(<results/notify.pid) ]] && echo main || echo other)"
    systemctl stop patient.service
    fact notify.result "$(property patient.service Result)"
    fact notify.told "$(ls /var/lib/spools/patient/incoming | wc -l)"
}

watchdog() {
    systemctl start pinging.service
    local begun=$EPOCHREALTIME
    await 15 pings 6
    fact watchdog.lived "$(milliseconds_since "$begun")"
    fact watchdog.alive "$(property pinging.service ActiveState)"
    touch go/pinging
    await 15 says pinging.service ActiveState failed
    fact watchdog.result "$(property pinging.service Result)"
    take /var/lib/spools/pinging watchdog
}
pings() { [[ -e results/watchdog.pings && $(cat results/watchdog.pings) -ge $1 ]]; }

crashing() {
    systemctl start crashing.service || true
    await 10 says crashing.service ActiveState failed
    fact crash.result "$(property crashing.service Result) $(property crashing.service ExecMainStatus)"
    lines crashing.service >results/crash.lines
    take /var/lib/spools/crashing crash
}

# The whole control group at once, so that nobody is left who could tell of it.
killed() {
    systemctl start --no-block killed.service
    await 10 says killed.service StatusText 'the child is at work'
    systemctl kill --signal=KILL killed.service
    await 10 says killed.service ActiveState failed
    fact killed.before "$(find /var/lib/spools/killed/incoming -type f | wc -l)"
    take /var/lib/spools/killed killed
    take /var/lib/spools/killed killed-again
}

greedy() {
    grep -qw memory /sys/fs/cgroup/cgroup.controllers || return 0
    systemctl start greedy.service || true
    await 15 says greedy.service ActiveState failed
    fact memory.result "$(property greedy.service Result)"
    take /var/lib/spools/greedy memory
}

watch() {
    source /w/watch.sh
}

# --- The units

# wrapped NAME MODE SPOOL [SETTING…]: a service with the shipped drop-in, in which names and paths are changed.
wrapped() {
    local folder=/etc/systemd/system/$1.service.d
    mkdir -p "$folder" /var/lib/spools
    printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' 'ExecStart=/bin/false' "${@:4}" >"${folder%.d}"
    sed -e "s|^ExecStart=/.*|ExecStart=/usr/local/bin/reports-run --name $1 -- /w/program.py $2|" \
        -e "s|^SyslogIdentifier=.*|SyslogIdentifier=$1|" -e "s|/var/lib/reports$|$3|" \
        /w/reports-run.conf >"$folder/reports-run.conf"
}

mkdir go
# The tool reads the settings of the machine, which change meanwhile.
echo '{}' >none.json
wrapped patient patient /var/lib/spools/patient Type=notify
wrapped pinging pinging /var/lib/spools/pinging Type=notify WatchdogSec=1
wrapped crashing crashing /var/lib/spools/crashing
wrapped killed idle /var/lib/spools/killed Type=notify
wrapped greedy greedy /var/lib/spools/greedy MemoryMax=40M
systemd-tmpfiles --create reports.conf
source /w/watch-units.sh
# Without a unit that refers to it, a unit that has ended is forgotten, and its results with it.
printf '%s\n' '[Unit]' DefaultDependencies=no 'After=patient.service reports-watch.service reports.service' \
    >/etc/systemd/system/held.target
systemctl daemon-reload
systemctl start held.target

for scenario in notify watchdog crashing killed greedy watch; do
    # What a scenario says goes into the log; each word of a failure names its line.
    {
        set -x
        "$scenario"
        fact "$scenario.ended" yes
    } 2>"results/$scenario.log" &
done
wait
journalctl --no-pager -o short-precise >results/journal
fact ended yes
# "Halt at once": process 1 stops all units, and ends.
kill -s RTMIN+13 1
