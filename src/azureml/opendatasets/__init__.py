"""Public datasets. Those of taxi trips in New York are read from their public container; the others refuse by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from azureml.opendatasets._nyc_taxi import NycTlcGreen, NycTlcYellow

_TAXI = ("NycTlcGreen", "NycTlcYellow")
_REFUSED = ("Diabetes", "MNIST", "NoaaIsdWeather", "OjSalesSimulated", "PublicHolidays")

__all__ = ["NycTlcGreen", "NycTlcYellow"]


def __getattr__(name: str) -> Any:
    if name in _TAXI:
        from azureml.opendatasets import _nyc_taxi

        return getattr(_nyc_taxi, name)
    if name in _REFUSED:
        from azureml.core._refusal import refuse_class

        found = refuse_class(
            f"azureml.opendatasets.{name}",
            "Read its files by their public address: Dataset.Tabular.from_parquet_files(url), Dataset.File.from_files(url).",
        )
        globals()[name] = found
        return found
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__, *_REFUSED})
