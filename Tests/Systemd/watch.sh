#!/bin/bash
# Sourced by scenarios.sh: the life of reports-watch.service in the spool of the machine.

spool=/var/lib/reports
unit=reports-watch.service
deliveries=results/deliveries

settings() { printf '%s\n' "$1" >/etc/reports/reports.json; }
drop() {
    printf '%s\n' "$2" >"$spool/incoming/$1.tmp"
    mv "$spool/incoming/$1.tmp" "$spool/incoming/$1"
}
deliveries() { [[ $(grep -c "$1" "$deliveries" 2>/dev/null) -ge $2 ]]; }
said() { [[ $(lines "$unit") == *"$1"* ]]; }
lived() { [[ $(milliseconds_since "$begun") -ge $1 ]]; }
signs() {
    local sign
    sign=$(property "$unit" WatchdogTimestampMonotonic)
    [[ $sign != "$last" ]] && last=$sign
}
runs() { [[ $(property reports.service InvocationID) != "$1" ]] && says reports.service ActiveState inactive; }
# sent SERVICE COUNT: so many of its reports are delivered.
sent() { [[ $(reports list --json --annotation "service=$1" | grep -c '"state":"delivered"') -ge $2 ]]; }

# What wrapped services leave: two that die, and two that are killed with their wrappers.
services() {
    systemctl start guest.service keeper.service
    await 10 sent guest 2
    await 10 sent keeper 2
    lines guest.service >results/guest.lines
    for name in slain steward; do
        systemctl start "$name.service"
        systemctl kill --signal=KILL "$name.service"
        await 10 says "$name.service" ActiveState failed
    done
    await 10 sent slain 1
    # The user of the spool may not look into what root has left; the next start of a service of root's does it.
    systemctl start steward.service
    await 10 sent steward 1
    systemctl stop steward.service
}

systemctl start server.service
systemctl start "$unit"
begun=$EPOCHREALTIME
fact watch.active "$(property "$unit" ActiveState) $(property "$unit" SubState)"
await 5 says "$unit" StatusText 'nothing waits*'
fact watch.status.empty "$(property "$unit" StatusText)"
drop early 'a drop before there is a server'
await 5 says "$unit" StatusText '1 *'
fact watch.status.one "$(property "$unit" StatusText)"

# Wrong settings, then those of a server.
settings '{'
systemctl reload "$unit"
await 5 said 'the settings stay as they were'
fact watch.wrong "$(property "$unit" ActiveState) $(property "$unit" SubState) $(property "$unit" StatusText)"
settings '{"endpoint": "http://127.0.0.1:8080/right/{id}"}'
systemctl reload "$unit"
await 10 deliveries /right/ 1
fact watch.reloaded "$(property "$unit" ActiveState) $(property "$unit" SubState)"
await 5 says "$unit" StatusText 'nothing waits*'

# How long a drop takes until it is at the server.
for number in 1 2 3; do
    dropped=$EPOCHREALTIME
    drop "timed-$number" "a drop on time, number $number"
    await 5 deliveries /right/ $((number + 1))
    arrived=$(tail -n 1 "$deliveries" | cut -d ' ' -f 1)
    fact "watch.delay.$number" $(((${arrived/./} * 1000 - ${dropped/./}) / 1000))
done

# In the background, so that a failure ends this part alone.
services &
wait $! || true

# Short runs at the same time.
systemctl start reports.timer
await 10 says reports.service ExecMainStartTimestampMonotonic '[1-9]*'
first=$(property reports.service InvocationID)
drop both 'a drop while both are at work'
await 10 runs "$first"
fact timer.result \
    "$(property reports.service Result) $(property reports.service ExecMainCode) $(property reports.service ExecMainStatus)"
fact timer.watch "$(property "$unit" ActiveState)"
await 10 says "$unit" StatusText 'nothing waits*'
systemctl stop reports.timer

# Signs of life: more than the time after which it would be ended.
last=$(property "$unit" WatchdogTimestampMonotonic)
for number in 1 2 3 4; do
    await 5 signs
    fact watch.signs "$number"
done
await 10 lived 5000
fact watch.lived "$(milliseconds_since "$begun")"
fact watch.restarts "$(property "$unit" NRestarts) $(property "$unit" ActiveState)"

systemctl stop "$unit"
fact watch.stopped "$(property "$unit" Result) $(property "$unit" ExecMainCode) $(property "$unit" ExecMainStatus)"

# A short run is at work when the service starts.
settings '{"endpoint": "http://127.0.0.1:8080/slow/{id}"}'
drop slow 'a drop for a slow server'
systemctl start --no-block reports.service
await 10 deliveries /slow/ 1
systemctl start --no-block "$unit"
await 10 says "$unit" StatusText 'another process owns the spool*'
fact handover.before "$(property "$unit" ActiveState) $(property reports.service ActiveState)"
touch go/slow
await 10 says "$unit" ActiveState active
await 10 says "$unit" StatusText 'nothing waits*'
fact handover.after "$(property "$unit" StatusText)"
fact handover.run "$(property reports.service Result)"
status=0
doctor=$(reports doctor 2>&1) || status=$?
fact watch.doctor "$status $doctor"
reports list --json >results/watch.list
systemctl stop "$unit"
lines "$unit" >results/watch.lines
