"""Reads envelopes of Sentry, by their grammar alone: https://develop.sentry.dev/sdk/foundations/envelopes/"""

import json


def parse(data):
    """The header of an envelope, and its items as pairs of header and payload.

    Raises ValueError for bytes that are no envelope, for instance if the length of an item is wrong.
    """
    header, at = _line(data, 0)
    items = []
    while at < len(data):
        line, at = _line(data, at)
        if not line and at >= len(data):
            break
        head = json.loads(line)
        if "length" in head:
            end = at + head["length"]
            if end > len(data) or data[end:end + 1] not in (b"", b"\n"):
                raise ValueError(f"the length of item {head.get('type')} is wrong")
            payload, at = data[at:end], end + 1
        else:
            payload, at = _line(data, at)
        items.append((head, payload))
    return json.loads(header), items


def _line(data, at):
    """The line that begins there, and where the next one begins."""
    end = data.find(b"\n", at)
    end = len(data) if end < 0 else end
    return data[at:end], end + 1
