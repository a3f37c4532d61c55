"""Sentry's own normaliser, out of Relay: names the fields of an event that Sentry would drop, and those it would cut.

    sentry_relay_check.py FILE…      an event or an envelope, plain or as gzip; "-" is standard input

It prints one JSON object for each file. `problems` has what is invalid in the event or in the frame of the envelope,
`trimmed` the fields that are longer than Sentry keeps. It ends with 1 if a file has a problem.
"""

import gzip
import json
import re
import sys

from sentry_relay.processing import StoreNormalizer

import envelope

LARGEST_EVENT = 1 << 20
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def normalised(event, trimming):
    normalizer = StoreNormalizer(
        project_id=1, protocol_version="7", is_renormalize=False, enable_trimming=trimming)
    return normalizer.normalize_event(raw_event=json.dumps(event))


def remarks(meta, path=""):
    """What the normaliser has noted beside the fields, each with the path of its field."""
    if not isinstance(meta, dict):
        return
    for key, value in meta.items():
        if key:
            yield from remarks(value, f"{path}.{key}" if path else key)
            continue
        for error in value.get("err", []):
            yield {"path": path, "error": error, "value": value.get("val")}
        for removal in value.get("rem", []):
            yield {"path": path, "removed": removal}


def frame_problems(header, items):
    """What is wrong with an envelope around its event."""
    kinds = [head.get("type") for head, _ in items]
    if kinds.count("event") != 1:
        yield f"{kinds.count('event')} items with an event"
    elif kinds[0] != "event":
        yield "the event is not the first item"
    if "sent_at" in header and not UTC.fullmatch(header["sent_at"]):
        yield "sent_at is no time in UTC"
    for head, payload in items:
        if head.get("type") == "attachment" and not head.get("filename"):
            yield "an attachment has no name"
        if head.get("type") == "event":
            if len(payload) > LARGEST_EVENT:
                yield "the event has more than 1 MiB"
            if json.loads(payload).get("event_id") != header.get("event_id"):
                yield "the event_id of the envelope is not the event's"


def event_in(data, problems):
    """The event; what is wrong around it goes to `problems`."""
    try:
        return json.loads(data)
    except ValueError:
        header, items = envelope.parse(data)
    problems += [{"path": "envelope", "error": text} for text in frame_problems(header, items)]
    return next(json.loads(payload) for head, payload in items if head.get("type") == "event")


def check(name):
    data = sys.stdin.buffer.read() if name == "-" else open(name, "rb").read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    line = {"file": name, "problems": [], "trimmed": []}
    try:
        event = event_in(data, line["problems"])
        whole, cut = normalised(event, False), normalised(event, True)
        line["problems"] += remarks(whole.get("_meta", {}))
        line["trimmed"] = [note["path"] for note in remarks(cut.get("_meta", {})) if "removed" in note]
        line |= {name: whole.get(name) for name in ("event_id", "type", "level", "platform")}
    except Exception as error:  # Each way in which the library fails is a verdict.
        line["problems"].append({"path": "", "error": f"{type(error).__name__}: {error}"})
    print(json.dumps(line, ensure_ascii=False))
    return not line["problems"]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(0 if all([check(name) for name in sys.argv[1:]]) else 1)
