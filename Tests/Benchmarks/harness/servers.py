"""Servers on the loopback interface, on ports that were free, gone when their scope ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from harness.measuring import Failed

# The body is read before anything is answered; the answer is short, as collectors' are.
NGINX = """
{modules}
{user}
daemon off;
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/error.log warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
  keepalive_requests 100000000;
  default_type application/json;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {root}/server.pem;
    ssl_certificate_key {root}/server.key;
    location / {{
      echo_read_request_body;
      echo_status 201;
      echo '{{"ok":true}}';
    }}
    location /far/ {{
      echo_read_request_body;
      echo_sleep {delay};
      echo_status 201;
      echo '{{"ok":true}}';
    }}
  }}
}}
"""


# Seconds that a server far away takes until its answer has come: one round trip, on a connection that is kept.
ROUND_TRIP = 0.02


class Server:
    """A process that listens, and ends with its scope."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process: subprocess.Popen | None = None
        self.port = 0

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def start(self) -> None:
        raise NotImplementedError

    def url(self) -> str:
        """An address with a place for the report's id."""
        return f"http://127.0.0.1:{self.port}/r/{{id}}"

    def launch(self, command: list[str], *ports: int) -> None:
        log = (self.root / "server.log").open("wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        for port in ports:
            self.await_port(port)

    def await_port(self, port: int) -> None:
        for _ in range(200):
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        told = (self.root / "server.log").read_text(errors="replace")[-600:]
        raise Failed(f"a server did not start: {told}")


class Nginx(Server):
    """nginx as a collector: one worker, plain and over TLS."""

    def start(self) -> None:
        self.root.mkdir()
        self.port, self.tls_port = free_port(), free_port()
        self.authority = make_certificate(self.root)
        configuration = self.root / "nginx.conf"
        configuration.write_text(
            NGINX.format(
                root=self.root,
                port=self.port,
                tls_port=self.tls_port,
                delay=ROUND_TRIP,
                modules=f"load_module {echo_module()};",
                # Only root may choose, and its worker could not write below our directory otherwise.
                user="user root;" if os.geteuid() == 0 else "",
            )
        )
        self.launch([nginx_program(), "-c", str(configuration), "-p", str(self.root)], self.port, self.tls_port)

    def far_url(self) -> str:
        """The same as from 20 ms away: each answer is a round trip late."""
        return f"http://127.0.0.1:{self.port}/far/{{id}}"

    def tls_url(self) -> str:
        """The same over TLS; the certificate names localhost."""
        return f"https://localhost:{self.tls_port}/r/{{id}}"

    def __exit__(self, *_: object) -> None:
        # Told to quit, nginx waits for its connections.
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        super().__exit__()


class Sink(Server):
    """Reads bodies of any size away and answers 201: what a large body costs its sender alone."""

    def start(self) -> None:
        self.root.mkdir()
        self.port = free_port()
        self.launch([sys.executable, str(Path(__file__).with_name("sink.py")), str(self.port)], self.port)


def free_port() -> int:
    """A port that nobody listens on; the next moment is anybody's."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def nginx_program() -> str:
    """Administrators' programs are not in everybody's PATH."""
    for directory in [*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/usr/local/sbin"]:
        if os.access(f"{directory}/nginx", os.X_OK):
            return f"{directory}/nginx"
    raise Failed("nginx is not installed")


def echo_module() -> str:
    """The module that reads a body without a server behind."""
    told = subprocess.run([nginx_program(), "-V"], capture_output=True, text=True).stderr
    found = re.search(r"--modules-path=(\S+)", told)
    module = Path(found.group(1) if found else "/usr/lib/nginx/modules") / "ngx_http_echo_module.so"
    if not module.exists():
        raise Failed("nginx's echo module is not installed (libnginx-mod-http-echo)")
    return str(module)


def make_certificate(root: Path) -> Path:
    """A certificate for localhost and the authority that signed it, which is to be trusted."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=root, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    (root / "server.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Benchmark CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    openssl(
        *("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
        *("-days", "2", "-extfile", "server.ext", "-out", "server.pem"),
    )
    return root / "ca.pem"
