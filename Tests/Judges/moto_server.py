"""moto: an S3 server that answers 412 to a repeated `If-None-Match: *`, and on the same port the metadata service of a
virtual machine (IMDSv2).

It takes any signature. With --check-keys it checks key and signature, but neither clock nor region nor the body's hash,
and it refuses the keys that its metadata service hands out.
"""

import os

from judge import ACCESS_KEY, HOST, SECRET_KEY, announce_bucket, options, prepare

ALL_OF_S3 = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


def make_user():
    """Makes the user who has our key and may do everything with buckets."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.iam.models import iam_backends

    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    iam.create_user("aws", "judge")
    key = iam.create_access_key("judge", "AKIA")
    key.access_key_id, key.secret_access_key = ACCESS_KEY, SECRET_KEY
    iam.put_user_policy("judge", "all-of-s3", ALL_OF_S3)


def main():
    parser = options(__doc__)
    parser.add_argument("--check-keys", action="store_true")
    chosen = prepare(parser)
    if chosen.check_keys:
        # moto reads it once, when it is imported.
        os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    make_user()
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server(HOST, chosen.port, app, threaded=True, request_handler=MotoRequestHandler)
    announce_bucket(server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
