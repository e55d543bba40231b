"""Text files in pieces that end at line ends, as UTF-8 and without a byte order mark, whatever the files' encoding."""

from __future__ import annotations

import codecs
import os
import re
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Tuple, Union

from penstock.model.errors import Invalid
from penstock.tabular.sources import SourceFile, unreadable

SIZE = 4 * 2**20
LONGEST_RECORD = 2**26  # bytes; what is longer is a quote that nobody closed
_PIECE, _LINE_FEED = 2**16, 10
FIRST_SIZE = 2**17  # who wants a few rows does not wait for many

# v1's names of encodings -> Python's.
ENCODINGS = {
    "utf8": "utf-8",
    "utf8bom": "utf-8-sig",
    "ascii": "ascii",
    "iso88591": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows1252": "cp1252",
    "utf16": "utf-16",
    "utf32": "utf-32",
}
_AS_IT_IS = ("utf8", "utf8bom")
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}

_LINE_END = re.compile("\r\n|\n|\r")

# Bytes of a file; a bytearray is used again for another piece of it.
Bytes = Union[bytes, bytearray]

# Where the last record of a text ends; 0 where it holds no whole one.
Cut = Callable[[Bytes], int]


class Block(NamedTuple):
    """A piece of a file: the whole lines up to `end`; what comes after it in `data` belongs to the next block."""

    file: int  # the file's number
    number: int  # the piece's number in its file
    data: Bytes
    end: int
    is_last: bool
    skipped: int = 0  # lines of the file's header, which were cut off

    def buffer(self) -> Any:
        """Return the bytes as Arrow takes them, without a copy."""
        import pyarrow as pa

        return pa.py_buffer(self.data).slice(0, self.end)

    def text(self) -> str:
        """Return the block's text; UnicodeDecodeError where it is none."""
        return str(memoryview(self.data)[: self.end], "utf-8")

    def has(self, part: bytes) -> bool:
        """Return whether some bytes occur in the block."""
        return self.data.find(part, 0, self.end) >= 0

    def line_count(self) -> int:
        """Return how many line ends there are."""
        import numpy as np

        content = np.frombuffer(self.data, np.uint8, self.end)
        # In pieces that stay in the processor's cache: five times as fast as bytes.count.
        count = sum(int(np.count_nonzero(content[place : place + _PIECE] == _LINE_FEED)) for place in range(0, self.end, _PIECE))
        if self.has(b"\r"):
            count += self.data.count(b"\r", 0, self.end) - self.data.count(b"\r\n", 0, self.end)
        return count


def cut_at_line_end(data: Bytes) -> int:
    """Return where the last line of a text ends."""
    end = data.rfind(b"\n") + 1
    # Files of old Macs have no line feed; a return at the very end may belong to a line feed that comes next.
    return end or data.rfind(b"\r", 0, len(data) - 1) + 1


def read_blocks(
    number: int, file: SourceFile, encoding: str, cut: Cut = cut_at_line_end, free: Optional[List[Bytes]] = None
) -> Iterator[Block]:
    """Yield the pieces of a file.

    Args:
        number: The file's number, for the blocks.
        file: The file.
        encoding: v1's name of its encoding.
        cut: Where a piece may end.
        free: Where those who are done with a block put its data, to be used again: memory that is new for every block costs more than to
            read into it.

    Raises:
        NotFound: The file is not there.
        Invalid: It can't be read, or its bytes are not text in this encoding.
    """
    try:
        with _open(file) as stream:
            if encoding in _AS_IT_IS and stream.seekable():
                yield from _in_place(number, stream, file, cut, [] if free is None else free)
            else:
                yield from _in_passing(number, stream, file, encoding, cut)
    except OSError as error:
        raise unreadable(file, error) from error


def _in_place(number: int, stream: Any, file: SourceFile, cut: Cut, free: List[Bytes]) -> Iterator[Block]:
    """Blocks of a file that can be read anywhere: what follows a block's end is read again, not copied."""
    begin = stream.read(4)
    _refuse_other_marks(file, begin)
    place = 3 if begin.startswith(codecs.BOM_UTF8) else 0
    total = os.fstat(stream.fileno()).st_size
    count, size, is_last = 0, FIRST_SIZE, False
    while not is_last:
        stream.seek(place)
        data = _fill(stream, size, free)
        is_last = place + len(data) >= total or not data
        end = len(data) if is_last else cut(data)
        if end == 0 and not is_last:  # a line that is longer than this
            size = _longer(file, len(data))
            continue
        yield Block(number, count, data, end, is_last)
        place, count, size = place + end, count + 1, max(min(2 * size, SIZE), FIRST_SIZE)


def _fill(stream: Any, size: int, free: List[Bytes]) -> Bytes:
    """Return the next bytes of a file: so many, or fewer."""
    if size != SIZE:
        data: bytes = stream.read(size)
        return data
    buffer = free.pop() if free else bytearray(SIZE)
    found = stream.readinto(buffer)
    return buffer if found == SIZE else bytes(memoryview(buffer)[:found])


def _in_passing(number: int, stream: Any, file: SourceFile, encoding: str, cut: Cut) -> Iterator[Block]:
    """Blocks of a file that is decoded, or unpacked, from its begin to its end."""
    rest, count, least = b"", 0, 0
    for data, is_last in _pieces(stream, file, encoding):
        rest = rest + data if rest else data
        if not is_last and len(rest) < least:
            continue
        end = len(rest) if is_last else cut(rest)
        if end == 0 and not is_last:
            least = _longer(file, len(rest))
            continue
        yield Block(number, count, rest, end, is_last)
        rest, count, least = rest[end:], count + 1, 0


def _longer(file: SourceFile, size: int) -> int:
    """Return in how many bytes a record's end is looked for next."""
    if size >= LONGEST_RECORD:
        raise Invalid(
            f"The file '{file.path}' has a record longer than {LONGEST_RECORD >> 20} MiB. A quote may be opened and never closed: "
            "without support_multi_line, a record ends with its line. Or is the file not text?"
        )
    return 2 * size


def _pieces(stream: Any, file: SourceFile, encoding: str) -> Iterator[Tuple[bytes, bool]]:
    """Yield (UTF-8 bytes, whether they are the last)."""
    decode = None if encoding in _AS_IT_IS else _decoder(file, encoding)
    data, place, size = stream.read(FIRST_SIZE), 0, FIRST_SIZE
    if decode is None:
        _refuse_other_marks(file, data)
        data = data[3:] if data.startswith(codecs.BOM_UTF8) else data
    while True:
        size = min(2 * size, SIZE)
        after = stream.read(size)
        yield (decode(data, place, not after) if decode else data), not after
        if not after:
            return
        place += len(data)
        data = after


def _open(file: SourceFile) -> Any:
    stream = open(file.local, "rb", buffering=0)  # noqa: SIM115  the caller closes it
    begin = stream.read(4)
    stream.seek(0)
    kind = next((name for mark, name in _COMPRESSED.items() if begin.startswith(mark)), None)
    if kind is None:
        return stream
    import pyarrow as pa

    stream.close()
    return pa.CompressedInputStream(pa.OSFile(file.local), kind)


def _refuse_other_marks(file: SourceFile, data: bytes) -> None:
    for mark, name in ((codecs.BOM_UTF32_LE, "utf32"), (codecs.BOM_UTF16_LE, "utf16"), (codecs.BOM_UTF16_BE, "utf16")):
        if data.startswith(mark):
            raise Invalid(f"The file '{file.path}' begins like {name}, and is read as utf8. Pass encoding='{name}'.")


def _decoder(file: SourceFile, encoding: str) -> Callable[[bytes, int, bool], bytes]:
    if encoding not in ENCODINGS:
        raise Invalid(f"There is no encoding '{encoding}'. There are: {', '.join(ENCODINGS)}.")
    decoder = codecs.getincrementaldecoder(ENCODINGS[encoding])()

    def decode(data: bytes, place: int, is_last: bool) -> bytes:
        try:
            return decoder.decode(data, is_last).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise undecodable(file, encoding, place + max(error.start - (len(error.object) - len(data)), 0)) from None

    return decode


def undecodable(file: SourceFile, encoding: str, place: int) -> Invalid:
    """Return the error for a byte that is no text in the file's encoding."""
    return Invalid(
        f"The file '{file.path}' is not text in the encoding {encoding}: byte {place} can't be read. "
        "Pass the encoding that it has; files of one dataset share one encoding."
    )


def find_undecodable(file: SourceFile, encoding: str) -> Invalid:
    """Return the error for a file of UTF-8 that is none, with the place of the first wrong byte."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    place = 0
    with _open(file) as stream:
        while True:
            data = stream.read(SIZE)
            try:
                decoder.decode(data, not data)
            except UnicodeDecodeError as error:
                return undecodable(file, encoding, place + error.start - (len(error.object) - len(data)))
            if not data:
                return undecodable(file, encoding, 0)
            place += len(data)


def split_lines(text: str) -> List[str]:
    """Return the lines of a text, without their ends. Lines end with a line feed, a return, or both."""
    lines = _LINE_END.split(text)
    return lines[:-1] if lines[-1] == "" else lines


def first_line_of(block: Block, file: SourceFile, encoding: str, cut: Cut = cut_at_line_end) -> int:
    """Return the number of the line with which a block begins, counted from 1. The file is read again: this is for messages."""
    line = 1
    for earlier in read_blocks(block.file, file, encoding, cut):
        if earlier.number == block.number:
            break
        line += earlier.line_count()
    return line
