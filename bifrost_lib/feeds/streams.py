"""Bytes of a file, whatever it is packed in, with the place where it breaks when it does."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from bifrost_lib.core.errors import FileFormatError

BLOCK = 4 << 20
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class ByteSource(Protocol):
    """Anything that hands out the text of one part of a file."""

    path: Path
    member: str | None

    @property
    def fraction(self) -> float: ...

    def read(self, count: int = ...) -> bytes: ...


class TextStream:
    """UTF-8 bytes of one part of a file: unpacked, without a byte order mark, recoded from UTF-16 where needed.

    Raises
    ------
    FileFormatError
        From `read`, when the packing is damaged or ends too early; it names the byte and line reached.
    """

    def __init__(self, path: Path, raw: IO[bytes], unpacked: IO[bytes], size: int, member: str | None) -> None:
        self.path, self.member = path, member
        self._raw, self._unpacked, self._size = raw, unpacked, max(size, 1)
        self._decode: codecs.IncrementalDecoder | None = None
        self._first = True

    @property
    def fraction(self) -> float:
        """Share of the packed bytes that has been read."""
        return min(self._raw.tell() / self._size, 1.0)

    def read(self, count: int = BLOCK) -> bytes:
        """Return the next bytes, empty at the end."""
        try:
            data = self._unpacked.read(count)
        except _DAMAGE as error:
            raise self._broken(error) from None
        if self._first:
            data = self._start(data)
        if self._decode is not None:
            try:
                data = self._decode.decode(data, final=not data).encode()
            except UnicodeDecodeError:
                raise self._broken("no valid UTF-16") from None
        return data

    def _start(self, data: bytes) -> bytes:
        self._first = False
        if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
            raise self._broken("UTF-32 text, which is not read; save it as UTF-8")
        encoding = _UTF16.get(data[:2])
        if encoding is None and len(data) > 8 and data[:64].isascii():
            # Without a mark, ASCII in UTF-16 has a NUL in every second place.
            encoding = {(0, 1): "utf-16-be", (1, 0): "utf-16-le"}.get((any(data[:64:2]) + 0, any(data[1:64:2]) + 0))
        if encoding:
            self._decode = codecs.getincrementaldecoder(encoding)()
            return data[2:] if data[:2] in _UTF16 else data
        return data.removeprefix(codecs.BOM_UTF8)

    def _broken(self, error: object) -> FileFormatError:
        reason = str(error) or type(error).__name__
        count, line = _readable(self.path, self.member)
        problem = f"broken after {count:,} bytes of text ({reason}); nothing of this file can be trusted"
        return FileFormatError(self.path, problem, line=line, member=self.member)


def _readable(path: Path, member: str | None) -> tuple[int, int]:
    # How many bytes can be unpacked before the damage, and the line on which they end; in small steps, to come close.
    count, line = 0, 1
    with suppress(*_DAMAGE), _unpacked(path, member) as (_, stream):
        while chunk := stream.read(256):
            count += len(chunk)
            line += chunk.count(b"\n")
    return count, line


@contextmanager
def open_text(path: Path, member: str | None = None) -> Iterator[TextStream]:
    """Open a file, or one member of a zip archive, as text; gzip, xz and bzip2 are recognised by their contents."""
    with _unpacked(path, member) as (raw, unpacked):
        yield TextStream(path, raw, unpacked, path.stat().st_size, member)


@contextmanager
def _unpacked(path: Path, member: str | None) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FileFormatError(path, f"cannot be opened: {error.strerror or error}") from None
    with raw:
        if member is not None:
            with _open_member(path, raw, member) as unpacked:
                yield raw, unpacked
            return
        head = raw.read(6)
        raw.seek(0)
        if head.startswith(b"\x1f\x8b"):
            yield raw, _as_bytes(gzip.GzipFile(fileobj=raw))
        elif head.startswith(b"\xfd7zXZ\0"):
            yield raw, _as_bytes(lzma.LZMAFile(raw))  # noqa: SIM115 - `raw` is closed
        elif head.startswith(b"BZh"):
            yield raw, _as_bytes(bz2.BZ2File(raw))
        else:
            yield raw, raw


@contextmanager
def _open_member(path: Path, raw: IO[bytes], member: str) -> Iterator[IO[bytes]]:
    with open_archive(path, raw) as archive:
        try:
            stream = archive.open(member)
        except (*_DAMAGE, KeyError) as error:
            raise FileFormatError(path, f"cannot be unpacked: {error}", member=member) from None
        with stream:
            yield stream


def _as_bytes(stream: Any) -> IO[bytes]:
    return stream  # type: ignore[no-any-return]


@contextmanager
def open_archive(path: Path, raw: IO[bytes] | None = None) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive; a damaged one is a `FileFormatError`."""
    try:
        archive = zipfile.ZipFile(raw if raw is not None else path)
    except (*_DAMAGE, ValueError) as error:
        raise FileFormatError(path, f"no readable zip archive: {error}; is it cut off?") from None
    with archive:
        yield archive


def is_zip(path: Path) -> bool:
    """Tell whether a file begins like a zip archive, whole or cut off."""
    return _starts_with(path, b"PK\x03\x04") or _starts_with(path, b"PK\x05\x06")


def is_parquet(path: Path) -> bool:
    """Tell whether a file begins like parquet."""
    return _starts_with(path, b"PAR1")


def _starts_with(path: Path, mark: bytes) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(mark)) == mark
    except OSError as error:
        raise FileFormatError(path, f"cannot be opened: {error.strerror or error}") from None
