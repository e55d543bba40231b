"""Taxi trips in New York, month by month, as the city's commission publishes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Iterator, List, Optional

_CONTAINER = "https://azureopendatastorage.blob.core.windows.net/nyctlc"
_PLACE = "azureopendatastorage/nyctlc"


class _NycTaxi:
    """Taxi trips of some months; see the subclasses."""

    _folder: str
    _pickup: str

    def __init__(
        self,
        start_date: datetime = datetime(2018, 1, 1),
        end_date: datetime = datetime(2018, 6, 6),
        cols: Optional[List[str]] = None,
        limit: int = -1,
        enable_telemetry: bool = True,
    ) -> None:
        self.start_date, self.end_date = start_date, end_date
        if limit is not None and limit > 0:
            self.end_date = min(end_date, start_date + timedelta(days=limit))
        if self.start_date > self.end_date:
            raise ValueError(f"{type(self).__name__}: the start {start_date} lies after the end {end_date}.")
        self.cols = None if cols is None else list(dict.fromkeys([*cols, self._pickup]))

    def to_pandas_dataframe(self) -> Any:
        """Return the trips whose pickup lies between the two dates, both included, as a data frame; None when there are none.

        Each month is read by itself, and only its rows in question stay in memory.

        Raises:
            DatasetExecutionError: The public container can't be reached.
        """
        frames = [frame for frame in map(self._read, _months(self.start_date, self.end_date)) if frame is not None and len(frame)]
        if not frames:
            return None
        import pandas

        return frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)

    def _read(self, month: datetime) -> Any:
        from azureml.data.dataset_error_handling import DatasetExecutionError
        from penstock.model.errors import NotFound

        dataset = _dataset([_month_url(self._folder, month)])
        if self.cols is not None:
            dataset = dataset.keep_columns(self.cols)
        try:
            return self._within(dataset).to_pandas_dataframe()
        except DatasetExecutionError as error:
            if isinstance(error.inner_exception, NotFound):
                return None
            raise DatasetExecutionError(
                f"{type(self).__name__} reads the public container {_PLACE}, and could not: {error.message} "
                f"Without a network, send the container to a copy of it with the setting datastore_redirects: "
                f'{{"{_PLACE}": "/folder/of/the/copy"}}.',
                error.inner_exception,
            ) from None

    def _within(self, dataset: Any) -> Any:
        """The rows whose pickup lies between the two dates."""
        from azureml.data._expressions import condition_of

        pickup = dataset[self._pickup]
        # Not by `filter`, whose note on v1's experiments is for those who call it.
        return dataset._with("filter", expression=condition_of((pickup >= self.start_date) & (pickup <= self.end_date)))

    def to_spark_dataframe(self) -> Any:
        """Refuse: there is no Spark here.

        Raises:
            NotImplementedError: Always.
        """
        from azureml.core._refusal import not_built

        raise not_built(f"{type(self).__name__}.to_spark_dataframe", "Read the trips with to_pandas_dataframe().")

    @classmethod
    def get_tabular_dataset(
        cls,
        start_date: Optional[datetime] = None,
        end_date: Optional[datetime] = None,
        cols: Optional[List[str]] = None,
        limit: int = -1,
        enable_telemetry: bool = True,
    ) -> Any:
        """Return the trips as a TabularDataset; nothing is read yet.

        Args:
            start_date: Only trips whose pickup is then or later; needs `end_date` too.
            end_date: Only trips whose pickup is then or earlier; needs `start_date` too.
            cols: Only these columns, and the pickup's.
            limit: Only that many days.
            enable_telemetry: Accepted, and without effect: nothing is sent.

        Raises:
            ValueError: Only one of the dates is given.
        """
        if (start_date is None) != (end_date is None):
            raise ValueError(f"{cls.__name__}.get_tabular_dataset takes start_date and end_date together, or neither.")
        if start_date is None or end_date is None:
            dataset = _dataset([f"{_CONTAINER}/{cls._folder}/puYear=*/puMonth=*/*.parquet"])
            return dataset if cols is None else dataset.keep_columns([*cols, cls._pickup])
        chosen = cls(start_date, end_date, cols, limit)
        dataset = _dataset([_month_url(cls._folder, month) for month in _months(chosen.start_date, chosen.end_date)])
        dataset = chosen._within(dataset)
        return dataset if chosen.cols is None else dataset.keep_columns(chosen.cols)


class NycTlcGreen(_NycTaxi):
    """Trips of New York's green taxis.

    Args:
        start_date: The earliest pickup.
        end_date: The latest pickup.
        cols: Only these columns, and the pickup's; None means all.
        limit: Only that many days; -1 means all.
        enable_telemetry: Accepted, and without effect: nothing is sent.

    Raises:
        ValueError: The start lies after the end.
    """

    _folder, _pickup = "green", "lpepPickupDatetime"


class NycTlcYellow(_NycTaxi):
    """Trips of New York's yellow taxis.

    Args:
        start_date: The earliest pickup.
        end_date: The latest pickup.
        cols: Only these columns, and the pickup's; None means all.
        limit: Only that many days; -1 means all.
        enable_telemetry: Accepted, and without effect: nothing is sent.

    Raises:
        ValueError: The start lies after the end.
    """

    _folder, _pickup = "yellow", "tpepPickupDateTime"


def _dataset(urls: List[str]) -> Any:
    from azureml.data.dataset_factory import TabularDatasetFactory

    return TabularDatasetFactory.from_parquet_files(urls, validate=False)


def _month_url(folder: str, month: datetime) -> str:
    return f"{_CONTAINER}/{folder}/puYear={month.year}/puMonth={month.month}/*.parquet"


def _months(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every month that has a moment between start and end, by its first day."""
    month = datetime(start.year, start.month, 1)
    while month <= end:
        yield month
        month = datetime(month.year + month.month // 12, month.month % 12 + 1, 1)
