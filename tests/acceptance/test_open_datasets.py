"""Public datasets, read from a copy of their container: an operator's redirect puts it in the place of the real one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from azureml import opendatasets
from azureml.exceptions import UserErrorException
from azureml.opendatasets import NycTlcGreen, NycTlcYellow


def redirect(home: Path, target: str) -> None:
    (home / "settings.json").write_text(json.dumps({"datastore_redirects": {"azureopendatastorage/nyctlc": target}}))


@pytest.fixture
def trips(home: Path, tmp_path: Path) -> Path:
    """January and February of 2016, ten days of trips each, of both colours."""
    import pandas

    for colour, pickup in (("green", "lpepPickupDatetime"), ("yellow", "tpepPickupDateTime")):
        for month in (1, 2):
            times = [pandas.Timestamp(2016, month, day, 12) for day in range(1, 11)]
            frame = pandas.DataFrame({"vendorID": range(10), pickup: times, "tripDistance": 1.5, "puLocationId": ""})
            folder = tmp_path / "nyctlc" / colour / "puYear=2016" / f"puMonth={month}"
            folder.mkdir(parents=True)
            frame.to_parquet(folder / "part-0.snappy.parquet")
    redirect(home, str(tmp_path / "nyctlc"))
    return tmp_path


def test_trips_between_two_moments_of_several_months(trips: Path):
    frame = NycTlcGreen(datetime(2016, 1, 9), datetime(2016, 2, 2)).to_pandas_dataframe()
    assert list(frame.columns) == ["vendorID", "lpepPickupDatetime", "tripDistance", "puLocationId"], "as they are stored"
    assert [f"{moment:%m-%d}" for moment in frame["lpepPickupDatetime"]] == ["01-09", "01-10", "02-01"]
    assert frame.index.tolist() == [0, 1, 2]


def test_some_columns_and_some_days(trips: Path):
    frame = NycTlcYellow(datetime(2016, 1, 1), datetime(2016, 1, 31), cols=["tripDistance"], limit=3).to_pandas_dataframe()
    assert sorted(frame.columns) == ["tpepPickupDateTime", "tripDistance"]
    assert len(frame) == 3


def test_nothing_found_is_none(trips: Path):
    assert NycTlcGreen(datetime(2016, 1, 11), datetime(2016, 1, 31)).to_pandas_dataframe() is None, "no such rows"
    assert NycTlcGreen(datetime(2020, 1, 1), datetime(2020, 3, 1)).to_pandas_dataframe() is None, "no such months"


def test_as_a_dataset(trips: Path):
    dataset = NycTlcYellow.get_tabular_dataset(datetime(2016, 1, 9), datetime(2016, 2, 2), cols=["vendorID"])
    assert sorted(dataset.to_pandas_dataframe().columns) == ["tpepPickupDateTime", "vendorID"]
    assert len(NycTlcYellow.get_tabular_dataset().to_pandas_dataframe()) == 20
    with pytest.raises(ValueError, match="together"):
        NycTlcYellow.get_tabular_dataset(datetime(2016, 1, 9))


def test_a_container_that_can_not_be_reached_is_an_error_that_names_it(home: Path):
    redirect(home, "http://127.0.0.1:9/nyctlc")
    with pytest.raises(UserErrorException, match=r"azureopendatastorage/nyctlc.*datastore_redirects"):
        NycTlcGreen(datetime(2016, 1, 1), datetime(2016, 1, 31)).to_pandas_dataframe()


def test_dates_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="after the end"):
        NycTlcGreen(datetime(2016, 2, 1), datetime(2016, 1, 1))


def test_what_is_not_built_refuses_by_name():
    assert {"NycTlcGreen", "NycTlcYellow", "MNIST"} <= set(dir(opendatasets))
    with pytest.raises(NotImplementedError, match="MNIST"):
        opendatasets.MNIST.get_file_dataset()
    with pytest.raises(NotImplementedError, match=r"NycTlcGreen\.to_spark_dataframe"):
        NycTlcGreen(datetime(2016, 1, 1), datetime(2016, 1, 31)).to_spark_dataframe()
    with pytest.raises(AttributeError, match="Moon"):
        opendatasets.Moon  # noqa: B018
