"""What users write as `partition_format`, checked as v1 checks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.model.partitions import PartitionFormat


def parse_partition_format(text: Any) -> PartitionFormat:
    """Return what a partition format says.

    Raises:
        ValueError: It can't be one; the message tells why.
    """
    from penstock.model import partitions
    from penstock.model.errors import Invalid

    try:
        return partitions.parse_partition_format(text)
    except Invalid as error:
        raise ValueError(error.message) from None
