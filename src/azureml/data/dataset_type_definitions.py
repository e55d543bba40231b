"""Choices for reading files into datasets."""

from __future__ import annotations

from enum import Enum


class FileEncoding(Enum):
    """One of v1's choices."""

    ASCII = 3
    ISO88591 = 1
    LATIN1 = 2
    UTF16 = 4
    UTF32 = 5
    UTF8 = 0
    UTF8BOM = 6
    WINDOWS1252 = 7


class FileType(Enum):
    """One of v1's choices."""

    GENERIC_CSV = "GenericCSV"
    GENERIC_CSV_NO_HEADER = "GenericCSVNoHeader"
    GENERIC_TSV = "GenericTSV"
    GENERIC_TSV_NO_HEADER = "GenericTSVNoHeader"
    UNKNOWN = "Unknown"
    ZIP = "Zip"


class HistogramCompareMethod(Enum):
    """One of v1's choices."""

    ENERGY = 1
    WASSERSTEIN = 0


class PromoteHeadersBehavior(Enum):
    """One of v1's choices."""

    ALL_FILES_HAVE_SAME_HEADERS = 3
    COMBINE_ALL_FILES_HEADERS = 2
    NO_HEADERS = 0
    ONLY_FIRST_FILE_HAS_HEADERS = 1


class SkipLinesBehavior(Enum):
    """One of v1's choices."""

    FROM_ALL_FILES = 2
    FROM_FIRST_FILE_ONLY = 1
    NO_ROWS = 0
