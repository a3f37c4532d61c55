"""sending_loop.py DIRECTORY URL LIBRARY: sends the files in DIRECTORY/queued, as a careful person's script would.

Sixteen threads, each with one connection that it keeps. A delivery is committed to a ledger in SQLite, and synced,
before its file is unlinked. The script has no second try, no schedule and no lock against another script at the same
work.
LIBRARY is `http.client`, or `requests` where that is installed.
"""

import http.client
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

THREADS = 16
HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


class Ledger:
    """What has been delivered; each record is on the disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.Lock()
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute("CREATE TABLE delivered(name TEXT PRIMARY KEY, status INTEGER, at REAL)")

    def record(self, name: str, status: int) -> None:
        with self.lock:
            self.database.execute("INSERT INTO delivered VALUES(?, ?, ?)", (name, status, time.time()))


def standard_sender(url: str) -> Callable[[str, bytes], int]:
    """Sends over one connection of the standard library's, and returns the status."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port)

    def put(name: str, body: bytes) -> int:
        connection.request("PUT", address.path.replace("{id}", name), body, HEADERS)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return put


def requests_sender(url: str) -> Callable[[str, bytes], int]:
    """The same with a session of `requests`."""
    import requests

    session = requests.Session()
    return lambda name, body: session.put(url.replace("{id}", name), data=body, headers=HEADERS).status_code


def send(files: queue.SimpleQueue[Path], ledger: Ledger, put: Callable[[str, bytes], int]) -> None:
    """Sends files until there are none left."""
    while True:
        try:
            file = files.get_nowait()
        except queue.Empty:
            return
        status = put(file.name, file.read_bytes())
        if status // 100 != 2:
            print(f"{file.name}: {status}", file=sys.stderr)
            continue
        ledger.record(file.name, status)
        file.unlink()


def main(directory: Path, url: str, library: str) -> None:
    files: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for file in sorted((directory / "queued").iterdir()):
        files.put(file)
    ledger = Ledger(directory / "sent.sqlite")
    sender = requests_sender if library == "requests" else standard_sender
    threads = [threading.Thread(target=send, args=(files, ledger, sender(url))) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
