"""What the judges in this directory share: where they listen, whose key they accept, and how they end."""

import argparse
import json
import os
import signal
import socket
import sys
import tempfile

HOST = "127.0.0.1"
# The one key that every judge of S3 accepts. A colon is part of the name of each user of OpenStack Swift.
ACCESS_KEY, SECRET_KEY = "test:judge", "judge-secret-0123456789"
REGION = "us-east-1"
# The public keys of Bugsink's two projects, whose numbers are 1 and 2.
SENTRY_KEYS = ("5e9d0c6b1f7a4c3e8b2d64a0f1937c58", "c04b7e12d95f4a6683d1e7b5a92f0c3d")


def options(documentation):
    """A parser of command lines that knows what all judges take."""
    parser = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", nargs="?", type=int, default=0, help="where to listen on 127.0.0.1; 0: a free port")
    parser.add_argument("directory", nargs="?", help="where to keep what arrives; without it that is gone at the end")
    return parser


def prepare(parser):
    """Parses the command line and makes SIGTERM end the process as a return from `main` does."""
    chosen = parser.parse_args()
    # Who starts it may have blocked signals, and a child inherits that.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    if chosen.directory is None:
        # Held by what is returned, and removed with it.
        chosen.temporary = tempfile.TemporaryDirectory(prefix="judge-")
        chosen.directory = chosen.temporary.name
    return chosen


def free_port():
    with socket.create_server((HOST, 0)) as free:
        return free.getsockname()[1]


def announce(port, **facts):
    """Prints one line of JSON: the judge answers from now on."""
    print(json.dumps({"url": f"http://{HOST}:{port}"} | facts), flush=True)


def announce_bucket(port):
    """The same for a judge of S3, with its key."""
    announce(port, access_key=ACCESS_KEY, secret_key=SECRET_KEY, region=REGION)


class Record:
    """The file `received.jsonl` of a judge, one JSON object a line; a line is there before its request is answered."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "received.jsonl")
        open(self.path, "a").close()

    def add(self, line):
        # One write in append mode, so that lines of several threads do not mix.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, (json.dumps(line, ensure_ascii=False) + "\n").encode())
        finally:
            os.close(descriptor)
