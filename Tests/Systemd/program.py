#!/usr/bin/python3
"""A service that speaks to its service manager as sd_notify(3) says: program.py MODE.

patient   is ready when it is let go, and counts how often it is asked to end
idle      is ready, and waits
pinging   answers the watchdog until it is let go, then hangs
crashing  writes to standard error and dies by SIGSEGV
greedy    takes memory until it is killed
"""
import os
import pathlib
import resource
import signal
import socket
import sys
import time

RESULTS = pathlib.Path("/w/results")


def tell(message):
    name = os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(message.encode(), name)


def fact(name, value):
    draft = RESULTS / f".{name}"
    draft.write_text(str(value))
    draft.rename(RESULTS / name)


def is_let_go(mode):
    return pathlib.Path(f"/w/go/{mode}").exists()


def patient():
    requests = []
    signal.signal(signal.SIGTERM, lambda *_: requests.append(time.monotonic()))
    tell("STATUS=the child is at work")
    fact("notify.pid", os.getpid())
    while not is_let_go("patient") and not requests:
        time.sleep(0.02)
    tell("READY=1")
    while not requests:
        time.sleep(0.02)
    # That there is no second one can be seen by waiting alone.
    while time.monotonic() < requests[0] + 0.5:
        time.sleep(0.02)
    fact("notify.requests", len(requests))


def idle():
    tell("READY=1\nSTATUS=the child is at work")
    while True:
        time.sleep(1)


def pinging():
    # As sd_watchdog_enabled(3): a number that is not ours means somebody else.
    is_meant = os.environ.get("WATCHDOG_PID") == str(os.getpid())
    fact("watchdog.meant", is_meant)
    pause = int(os.environ["WATCHDOG_USEC"]) / 2e6
    tell("READY=1")
    count = 0
    while not is_let_go("pinging"):
        if is_meant:
            tell("WATCHDOG=1")
        count += 1
        fact("watchdog.pings", count)
        time.sleep(pause)
    print("the child hangs now", file=sys.stderr, flush=True)
    while True:
        time.sleep(1)


def crashing():
    print("first words of the child", file=sys.stderr)
    print("a warning of the child", file=sys.stderr)
    print("last words of the child", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def greedy():
    held = []
    while True:
        held.append(b"x" * (1 << 20))


# The pattern of core files is the machine's.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
{"patient": patient, "idle": idle, "pinging": pinging, "crashing": crashing, "greedy": greedy}[sys.argv[1]]()
