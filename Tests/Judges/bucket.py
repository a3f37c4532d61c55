"""Makes a bucket, and reads one with the client that AWS itself publishes (boto3).

    bucket.py URL make BUCKET
    bucket.py URL list BUCKET [PREFIX]      one JSON object a line, the bytes in base64
"""

import base64
import datetime
import email.utils
import http.client
import json
import sys
import urllib.parse

import boto3
import botocore.auth
from botocore.compat import get_current_datetime
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from judge import ACCESS_KEY, REGION, SECRET_KEY


def go_by_clock_of(url):
    """Has the client sign with the time of the judge, whose clock may have been set on purpose."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    connection.request("GET", "/")
    date = email.utils.parsedate_to_datetime(connection.getresponse().headers["Date"])
    ahead = date - datetime.datetime.now(datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda *arguments, **names: get_current_datetime(*arguments, **names) + ahead


def client(url):
    # Without a proxy, whatever the environment says.
    config = Config(proxies={}, s3={"addressing_style": "path"}, retries={"max_attempts": 5})
    return boto3.client("s3", endpoint_url=url, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
                        region_name=REGION, config=config)


def listed(s3, bucket, prefix):
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            found = s3.get_object(Bucket=bucket, Key=entry["Key"])
            yield {
                "key": entry["Key"], "content_type": found["ContentType"],
                "content_encoding": found.get("ContentEncoding"), "metadata": found["Metadata"],
                "bytes": base64.b64encode(found["Body"].read()).decode(),
            }


def main(url, verb, bucket, prefix=""):
    go_by_clock_of(url)
    s3 = client(url)
    if verb == "make":
        s3.create_bucket(Bucket=bucket)
    elif verb == "list":
        for line in listed(s3, bucket, prefix):
            print(json.dumps(line))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, BotoCoreError, ClientError) as error:
        sys.exit(f"bucket.py: {error}")
