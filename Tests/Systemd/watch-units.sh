#!/bin/bash
# Sourced by scenarios.sh: the shipped units themselves, with drop-ins that shorten the times.

units=/etc/systemd/system
mkdir -p "$units"/reports-watch.service.d "$units"/reports.timer.d
printf '%s\n' '[Service]' WatchdogSec=2s >"$units/reports-watch.service.d/rig.conf"
# The first line of a setting takes away all that came before.
printf '%s\n' '[Timer]' OnBootSec= OnUnitInactiveSec= OnActiveSec=10ms OnUnitInactiveSec=300ms RandomizedDelaySec=0 \
    AccuracySec=10ms >"$units/reports.timer.d/rig.conf"
printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' Type=notify 'ExecStart=/w/server.py 8080' \
    >"$units/server.service"
# Of a user who may only drop into the machine's spool, and of root.
# They may write nowhere but where the drop-in lets them.
wrapped guest crashing /var/lib/reports User=shop ProtectSystem=strict PrivateTmp=yes
wrapped slain idle /var/lib/reports Type=notify User=shop
wrapped keeper crashing /var/lib/reports ProtectSystem=strict
wrapped steward idle /var/lib/reports Type=notify
