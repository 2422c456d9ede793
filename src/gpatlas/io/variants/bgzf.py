"""Blocked gzip, which gzip reads whole and tabix, bcftools and PLINK 2 block by block (SAM specification, 4.1)."""

import struct
import zlib
from typing import BinaryIO

_BLOCK = 0xFF00  # bytes in a block before compression, as in htslib
_HEADER = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0"
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # an empty block


class BgzfWriter:
    """Compresses what is written to it; `close` writes the block that marks the end."""

    def __init__(self, file: BinaryIO):
        self._file, self._waiting = file, bytearray()

    def write(self, data: bytes) -> None:
        """Write bytes, a block as soon as it is full."""
        self._waiting += data
        whole = len(self._waiting) // _BLOCK * _BLOCK
        for start in range(0, whole, _BLOCK):
            self._write_block(bytes(self._waiting[start : start + _BLOCK]))
        del self._waiting[:whole]

    def close(self) -> None:
        """Write what is left and the mark of the end; the file stays open."""
        if self._waiting:
            self._write_block(bytes(self._waiting))
        self._file.write(END)

    def _write_block(self, data: bytes) -> None:
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = deflate.compress(data) + deflate.flush()
        size = len(_HEADER) + 2 + len(packed) + 8
        self._file.write(_HEADER + struct.pack("<H", size - 1) + packed)
        self._file.write(struct.pack("<II", zlib.crc32(data), len(data)))
