"""A receiver of OTLP logs over HTTP that decodes them with the classes of opentelemetry-proto.

It is stricter than the specification asks of a receiver: it refuses a second gzip member, and lists under `problems`
what a sender should not do. It speaks protobuf alone.
"""

import base64
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

from judge import HOST, Record, announce, options, prepare

LARGEST_REQUEST = 64 << 20
SHOWN_HEADERS = ("user-agent", "content-encoding", "content-length", "transfer-encoding")


class Refused(Exception):
    """A request that is answered with another status than 200."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


def value(any_value):
    """The Python value of an AnyValue."""
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(any_value, kind)
    if kind == "bytes_value":
        return {"base64": base64.b64encode(found).decode()}
    if kind == "array_value":
        return [value(element) for element in found.values]
    if kind == "kvlist_value":
        return {pair.key: value(pair.value) for pair in found.values}
    return found


def attributes(pairs, where, problems):
    keys = [pair.key for pair in pairs]
    problems += [f"{where}: the attribute {key} is there twice" for key in sorted(set(keys)) if keys.count(key) > 1]
    if "" in keys:
        problems.append(f"{where}: an attribute has no name")
    problems += [f"{where}: {pair.key} has no value" for pair in pairs if pair.value.WhichOneof("value") is None]
    return {pair.key: value(pair.value) for pair in pairs}


def unknown_fields(message):
    """How many fields the message has, itself and inside, that the specification does not know."""
    count = len(UnknownFieldSet(message))
    for field, found in message.ListFields():
        if field.message_type:
            count += sum(map(unknown_fields, found if hasattr(found, "add") else [found]))
    return count


def records(request, problems):
    """The records of a request, each with what is wrong about it."""
    if count := unknown_fields(request):
        problems.append(f"{count} unknown fields")
    for resource_logs in request.resource_logs:
        resource = attributes(resource_logs.resource.attributes, "resource", problems)
        if not resource.get("service.name"):
            problems.append("resource: no service.name")
        for scope_logs in resource_logs.scope_logs:
            for log in scope_logs.log_records:
                yield {
                    "resource": resource,
                    "scope": {"name": scope_logs.scope.name, "version": scope_logs.scope.version},
                } | record(log, list(problems))


def record(log, problems):
    line = {
        "time": log.time_unix_nano,
        "observed_time": log.observed_time_unix_nano,
        "severity_number": log.severity_number,
        "severity_text": log.severity_text,
        "event_name": log.event_name,
        "body": value(log.body),
        "attributes": attributes(log.attributes, "record", problems),
        "problems": problems,
    }
    if not log.time_unix_nano and not log.observed_time_unix_nano:
        problems.append("record: no time")
    if not 0 <= log.severity_number <= 24:
        problems.append(f"record: the severity is {log.severity_number}")
    if len(log.trace_id) not in (0, 16) or len(log.span_id) not in (0, 8):
        problems.append("record: the length of trace_id or span_id is wrong")
    return line


def decode(headers, body):
    """The request in a body."""
    encoding = headers.get("Content-Encoding")
    if encoding not in (None, "gzip"):
        raise Refused(415, f"Content-Encoding {encoding}")
    if headers.get("Content-Type") != "application/x-protobuf":
        raise Refused(415, f"Content-Type {headers.get('Content-Type')}")
    try:
        if encoding == "gzip":
            inflater = zlib.decompressobj(31)
            body = inflater.decompress(body, LARGEST_REQUEST + 1)
            if len(body) <= LARGEST_REQUEST and (not inflater.eof or inflater.unused_data):
                raise Refused(400, "not exactly one whole gzip member")
        if len(body) > LARGEST_REQUEST:
            raise Refused(413, "more than 64 MiB")
        return logs_service_pb2.ExportLogsServiceRequest.FromString(body)
    except (zlib.error, DecodeError) as error:
        raise Refused(400, f"{type(error).__name__}: {error}") from None


class Handler(BaseHTTPRequestHandler):
    """Takes POST /v1/logs."""

    protocol_version = "HTTP/1.1"
    record = None  # Set by `server`.

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        common = {"headers": {name.lower(): text for name, text in self.headers.items()
                              if name.lower() in SHOWN_HEADERS or name.lower().startswith("x-")}}
        try:
            if self.path != "/v1/logs":
                raise Refused(404, f"no such path: {self.path}")
            if "Content-Length" not in self.headers:
                self.close_connection = True
                raise Refused(411, "no Content-Length")
            for line in records(decode(self.headers, body), []):
                self.record.add(common | {"status": 200} | line)
            self.answer(200, logs_service_pb2.ExportLogsServiceResponse().SerializeToString())
        except Refused as why:
            self.record.add(common | {"status": why.status, "refused": str(why)})
            self.answer(why.status, str(why).encode(), "text/plain")

    def answer(self, status, body, content_type="application/x-protobuf"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing: `received.jsonl` has it all."""


def server(port, directory):
    """The receiver, listening; what it receives goes to `received.jsonl` in the directory."""
    Handler.record = Record(directory)
    ThreadingHTTPServer.request_queue_size = 128
    return ThreadingHTTPServer((HOST, port), Handler)


def main():
    chosen = prepare(options(__doc__))
    receiver = server(chosen.port, chosen.directory)
    announce(receiver.server_port)
    receiver.serve_forever()


if __name__ == "__main__":
    main()
