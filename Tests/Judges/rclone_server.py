"""`rclone serve s3` over a directory: it checks key, signature and clock, but neither the region nor the body's hash.

It ignores `If-None-Match` and overwrites.
"""

import os
import subprocess
import sys

from judge import ACCESS_KEY, HOST, SECRET_KEY, announce_bucket, free_port, options, prepare


def main():
    chosen = prepare(options(__doc__))
    port = chosen.port or free_port()
    # pip puts the program beside the interpreter.
    program = os.path.join(os.path.dirname(sys.executable), "rclone")
    names = ("rclone.conf", "objects", "cache")
    configuration, objects, cache = (os.path.join(chosen.directory, name) for name in names)
    os.makedirs(objects, exist_ok=True)
    open(configuration, "a").close()
    server = subprocess.Popen(
        [program, "--config", configuration, "--cache-dir", cache, "serve", "s3", "--addr", f"{HOST}:{port}",
         "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", objects], stdin=subprocess.DEVNULL)
    try:
        announce_bucket(port)
        sys.exit(server.wait())
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
