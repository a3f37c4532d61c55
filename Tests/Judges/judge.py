"""What the judges in this directory share: where they listen, whose key they accept, and how they end."""

import argparse
import json
import signal
import sys
import tempfile

HOST = "127.0.0.1"
# The one key that every judge accepts. A colon is part of the name of each user of OpenStack Swift.
ACCESS_KEY, SECRET_KEY = "test:judge", "judge-secret-0123456789"
REGION = "us-east-1"


def options(documentation):
    """A parser of command lines that knows what all judges take."""
    parser = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", nargs="?", type=int, default=0, help="where to listen on 127.0.0.1; 0: a free port")
    parser.add_argument("directory", nargs="?", help="where to keep objects; without it they are gone at the end")
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


def announce(port):
    """Prints one line of JSON: the judge answers from now on."""
    facts = {"url": f"http://{HOST}:{port}", "access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "region": REGION}
    print(json.dumps(facts), flush=True)
