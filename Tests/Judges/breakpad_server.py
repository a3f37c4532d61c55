"""A collector of minidumps with the rules and the answers of Antenna, which is Mozilla's; falcon takes the form apart.

Antenna itself is in no package index. It answers "CrashID=bp-…" to a minidump that it takes. It answers "Discarded=…"
to what it does not take, some of that with status 200.
"""

import hashlib
import io
import json
import os
import struct
import uuid
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from falcon import HTTPError
from falcon.media.multipart import MultipartFormHandler, MultipartParseError, MultipartParseOptions

from judge import HOST, Record, announce, options, prepare

LARGEST_PART = 64 << 20


class Discarded(Exception):
    """What Antenna says of a request that it does not take."""


def describe_minidump(data):
    """What header and directory of a minidump say; None for other bytes."""
    if len(data) < 32 or data[:4] != b"MDMP":
        return None
    count, directory = struct.unpack_from("<II", data, 8)
    entries = list(struct.iter_unpack("<III", data[directory:directory + 12 * count]))
    is_whole = len(entries) == count and all(at + size <= len(data) for _, size, at in entries)
    return {"streams": [kind for kind, _, _ in entries], "is_whole": is_whole}


def inflate(body):
    inflater = zlib.decompressobj(31)
    try:
        # Bytes after the first member are left where they are, and break the form.
        inflated = inflater.decompress(body) + inflater.flush()
    except zlib.error:
        raise Discarded("malformed_bad_gzip") from None
    if not inflater.eof:
        raise Discarded("malformed_bad_gzip")
    return inflated


def read_form(headers, body):
    """The fields of a form, by name, and its files, by name: file name, content type and bytes."""
    kind, _, parameters = headers.get("Content-Type", "").partition(";")
    if kind.strip() not in ("multipart/form-data", "multipart/mixed"):
        raise Discarded("malformed_wrong_content_type" if kind.strip() else "malformed_no_content_type")
    if not parameters.strip().startswith("boundary="):
        raise Discarded("malformed_no_boundary")
    if not int(headers.get("Content-Length") or 0):
        raise Discarded("malformed_no_content_length")
    if headers.get("Content-Encoding") == "gzip":
        body = inflate(body)
    limits = MultipartParseOptions()
    limits.max_body_part_count, limits.max_body_part_buffer_size = 0, LARGEST_PART
    form = MultipartFormHandler(parse_options=limits).deserialize(
        io.BytesIO(body), headers["Content-Type"], len(body))
    fields, files = {}, {}
    try:
        for part in form:
            if part.filename or not part.content_type.startswith("text/plain"):
                files[part.name] = (part.filename, part.content_type, part.stream.read())
            else:
                fields[part.name] = part.get_text()
    except MultipartParseError:
        raise Discarded("malformed_invalid_payload_structure") from None
    if not fields:
        raise Discarded("malformed_no_annotations")
    return fields, files


class Handler(BaseHTTPRequestHandler):
    """Takes any path."""

    protocol_version = "HTTP/1.1"
    # Set by `main`.
    record, directory, refused_product = None, None, None

    def do_POST(self):
        body = self.read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        report = {"path": self.path, "size": len(body), "headers": headers}
        try:
            fields, files = read_form(self.headers, body)
            report |= {"fields": fields, "files": [self.describe(name, *file) for name, file in files.items()]}
            self.check(fields)
        except Discarded as why:
            status = 200 if str(why).startswith("rule_") else 401 if "unauthorized" in str(why) else 400
            return self.answer(status, f"Discarded={why}", report)
        except HTTPError as error:  # For instance a boundary of more than 70 characters.
            return self.answer(400, error.title or "", report)
        identifier = str(uuid.uuid4())
        for name, (_, _, data) in files.items():
            with open(os.path.join(self.directory, f"{identifier}-{name.replace('/', '_')}"), "wb") as file:
                file.write(data)
        self.answer(200, f"CrashID=bp-{identifier}\n", report)

    def read_body(self):
        """The body; nothing if its length is not given, because Antenna does not read such a one."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.close_connection = True
            return b""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def check(self, fields):
        if "uuid" in fields:
            raise Discarded("unauthorized_uuid")
        if self.refused_product in (fields.get("ProductName"), fields.get("prod")) and self.refused_product:
            raise Discarded("rule_unsupported_product")

    @staticmethod
    def describe(name, filename, content_type, data):
        return {
            "name": name, "filename": filename, "content_type": content_type, "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(), "minidump": describe_minidump(data),
        }

    def answer(self, status, text, report):
        self.record.add(report | {"status": status, "answer": text.strip()})
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text.encode())))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Says nothing: `received.jsonl` has it all."""


def main():
    parser = options(__doc__)
    parser.add_argument("--refuse", metavar="PRODUCT", help="answer 200 Discarded=… to dumps of this product")
    chosen = prepare(parser)
    Handler.record, Handler.directory = Record(chosen.directory), chosen.directory
    Handler.refused_product = chosen.refuse
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer((HOST, chosen.port), Handler)
    announce(server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
