#!/usr/bin/python3
"""Accepts reports at 127.0.0.1:PORT and writes a line for each: seconds since 1970, and its path; the body by its id.

It answers /slow/… only after /w/go/slow exists. Tells its service manager when it listens.
"""
import gzip
import http.server
import os
import pathlib
import socket
import sys
import time

RESULTS = pathlib.Path("/w/results")


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        arrival = time.time()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        RESULTS.joinpath("sent." + self.path.rsplit("/", 1)[1]).write_bytes(body)
        with open(RESULTS / "deliveries", "a", encoding="ascii") as log:
            log.write(f"{arrival:.3f} {self.path}\n")
        while self.path.startswith("/slow/") and not pathlib.Path("/w/go/slow").exists():
            time.sleep(0.02)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
server.serve_forever()
