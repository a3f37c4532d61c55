"""OpenStack Swift with s3api: an S3 server that checks key, signature, region, clock and the body's hash.

One process runs the proxy and one server each for accounts, containers and objects, without memcached.
"""

import os
import time

from judge import ACCESS_KEY, HOST, REGION, SECRET_KEY, announce_bucket, options, prepare

parser = options(__doc__)
parser.add_argument("--clock", type=float, default=0, metavar="SECONDS", help="how far its clock is ahead")
chosen = prepare(parser)
if chosen.clock:
    # Before anybody else takes hold of the function.
    now = time.time
    time.time = lambda: now() + chosen.clock

import eventlet

eventlet.monkey_patch()

from eventlet import wsgi
from swift.common import utils
from swift.common.http_protocol import SwiftHttpProtocol
from swift.common.ring import RingBuilder
from swift.common.wsgi import loadapp

BACKENDS = ("account", "container", "object")
SWIFT_CONF = """[swift-hash]
swift_hash_path_suffix = judge
[storage-policy:0]
name = gold
default = yes
"""
BACKEND_CONF = """[DEFAULT]
swift_dir = {directory}
devices = {directory}/devices
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
recon_cache_path = {directory}/cache
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
# One failed request must not take the only backend out of service for a minute.
PROXY_CONF = """[DEFAULT]
swift_dir = {directory}
[pipeline:main]
pipeline = catch_errors gatekeeper proxy-logging listing_formats s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:s3api]
use = egg:swift#s3api
location = {region}
allow_no_owner = true
dns_compliant_bucket_names = true
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
"""


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def make_ring(directory, name, port):
    """A ring of one device: all of it lies here."""
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": HOST, "port": port, "device": "d1", "weight": 1,
                     "replication_ip": HOST, "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(f"{directory}/{name}.ring.gz")


def serve(listener, configuration):
    app = loadapp(configuration, global_conf={"log_name": os.path.basename(configuration)})
    # Clients of S3 look for `ETag`, which the capitalised form would not be.
    eventlet.spawn(wsgi.server, listener, app, utils.NullLogger(), protocol=SwiftHttpProtocol,
                   capitalize_response_headers=False)


def main():
    directory = chosen.directory
    for folder in ("devices/d1", "cache"):
        os.makedirs(f"{directory}/{folder}", exist_ok=True)
    write(f"{directory}/swift.conf", SWIFT_CONF)
    utils.set_swift_dir(directory)
    listeners = {name: eventlet.listen((HOST, 0)) for name in BACKENDS}
    for name, listener in listeners.items():
        make_ring(directory, name, listener.getsockname()[1])
    for name, listener in listeners.items():
        text = BACKEND_CONF.format(directory=directory, name=name)
        serve(listener, write(f"{directory}/{name}-server.conf", text))
    text = PROXY_CONF.format(directory=directory, region=REGION, user=ACCESS_KEY.replace(":", "_"), secret=SECRET_KEY)
    configuration = write(f"{directory}/proxy-server.conf", text)
    listener = eventlet.listen((HOST, chosen.port))
    serve(listener, configuration)
    announce_bucket(listener.getsockname()[1])
    while True:
        eventlet.sleep(3600)


if __name__ == "__main__":
    main()
