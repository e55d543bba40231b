"""What datasets of files and of rows have in common: the first entries, the others, a sample, a split."""

from __future__ import annotations

from typing import Any, Optional, Tuple, TypeVar

from azureml.data.abstract_dataset import AbstractDataset, check_count, check_share, settled_seed

Portion = TypeVar("Portion", bound="Portions")


class Portions(AbstractDataset):
    """A dataset of which a part can be taken. Its entries are files or rows."""

    def take(self: Portion, count: int) -> Portion:
        """Return a dataset of the first entries: files of a FileDataset, rows of a TabularDataset.

        Raises:
            ValueError: `count` is no whole number, or negative.
        """
        return self._with("take", count=check_count("take", count))

    def skip(self: Portion, count: int) -> Portion:
        """Return a dataset without the first entries.

        Raises:
            ValueError: `count` is no whole number, or negative.
        """
        return self._with("skip", count=check_count("skip", count))

    def take_sample(self: Portion, probability: float, seed: Optional[int] = None) -> Portion:
        """Return a dataset that has each entry with a probability. The same seed gives the same entries.

        Raises:
            ValueError: `probability` is no number from 0 to 1.
        """
        return self._with("sample", probability=check_share("probability", probability), seed=settled_seed(seed))

    def random_split(self: Portion, percentage: float, seed: Optional[int] = None) -> Tuple[Portion, Portion]:
        """Return two datasets that share no entry: about `percentage` of them, and the others. The same seed gives the same split.

        Raises:
            ValueError: `percentage` is no number from 0 to 1.
        """
        about: Any = {"seed": settled_seed(seed)}
        share = check_share("percentage", percentage)
        return self._with("split", start=0.0, end=share, **about), self._with("split", start=share, end=1.0, **about)
