"""A zip whose entries are as small as deflate can make them.

Python's zipfile compresses by zlib only, and takes no data that something else compressed; here it
is libdeflate. Format: APPNOTE.TXT of PKWARE, version 6.3.10, sections 4.3 and 4.4.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import deflate

_LEVEL = 12
"""libdeflate's highest."""
_VERSION = 20
"""Of the format: the first with deflate."""
_UNIX = 3 << 8
_UTF8_NAMES = 0x800
_DEFLATED = 8
_TIME, _DATE = 0, (1 << 5) | 1
"""Midnight of 1 January 1980, the earliest time a zip can hold."""
_FILE = 0o100644 << 16


@dataclass(frozen=True)
class _Entry:
    """One entry; `about` is what both of its headers tell."""

    name: bytes
    data: bytes
    about: bytes


def packed(entries: Mapping[str, bytes]) -> bytes:
    """The zip of named contents, in their order; the same contents give the same bytes."""
    made = [_entry(name, content) for name, content in entries.items()]
    body, directory = bytearray(), bytearray()
    for entry in made:
        place = len(body)
        body += b"PK\3\4" + entry.about + struct.pack("<HH", len(entry.name), 0)
        body += entry.name + entry.data
        directory += b"PK\1\2" + struct.pack("<H", _UNIX | _VERSION) + entry.about
        directory += struct.pack("<HHHHHLL", len(entry.name), 0, 0, 0, 0, _FILE, place) + entry.name
    count = len(made)
    end = struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + b"PK\5\6" + end)


def _entry(name: str, content: bytes) -> _Entry:
    data = bytes(deflate.deflate_compress(content, _LEVEL))
    head = struct.pack("<HHHHH", _VERSION, _UTF8_NAMES, _DEFLATED, _TIME, _DATE)
    sizes = struct.pack("<LLL", zlib.crc32(content), len(data), len(content))
    return _Entry(name=name.encode(), data=data, about=head + sizes)
