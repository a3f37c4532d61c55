"""rotel, a collector for OpenTelemetry written in Rust: it decodes logs and passes them on to `otlp_server.py`.

It answers before it has passed them on, so that a record may come to `received.jsonl` a moment after its answer.
"""

import os
import subprocess
import sys
import sysconfig
import threading

import otlp_server
from judge import HOST, announce, free_port, options, prepare


def main():
    chosen = prepare(options(__doc__))
    port = chosen.port or free_port()
    receiver = otlp_server.server(0, chosen.directory)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    program = os.path.join(sysconfig.get_path("platlib"), "rotel", "rotel-agent")
    collector = subprocess.Popen(
        [program, "start", "--otlp-http-endpoint", f"{HOST}:{port}", "--otlp-grpc-endpoint", f"{HOST}:{free_port()}",
         "--pid-file", os.path.join(chosen.directory, "rotel.pid"), "--disable-batching", "--exporter", "otlp",
         "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", f"http://{HOST}:{receiver.server_port}"],
        stdin=subprocess.DEVNULL)
    try:
        announce(port)
        sys.exit(collector.wait())
    finally:
        collector.terminate()
        collector.wait()


if __name__ == "__main__":
    main()
