"""sink.py PORT: an HTTP/1.1 server that reads bodies away. It knows no resumable uploads, and says so with 405."""

import socket
import socketserver
import sys


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        space = memoryview(bytearray(1 << 20))
        pending = b""
        while True:
            while b"\r\n\r\n" not in pending:
                part = self.request.recv(65536)
                if not part:
                    return
                pending += part
            head, _, pending = pending.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            fields = dict((name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines[1:]))
            if fields.get(b"expect", b"").lower() == b"100-continue":
                self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            left = int(fields.get(b"content-length", b"0"))
            taken = min(left, len(pending))
            pending, left = pending[taken:], left - taken
            while left > 0:
                count = self.request.recv_into(space, min(left, len(space)))
                if count == 0:
                    return
                left -= count
            status = b"201 Created" if lines[0].startswith((b"PUT", b"POST")) else b"405 Method Not Allowed"
            self.request.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Handler) as server:
        server.serve_forever()
