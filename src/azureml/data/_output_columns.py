"""Which columns of an output are read, where the output is one of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence, TypeVar, Union

if TYPE_CHECKING:
    from penstock.model.datasets import Dataset

Output = TypeVar("Output", bound="OutputColumns")


class OutputColumns:
    """An output of rows that can be read with fewer columns. It says how it is read by `_reading`, and is copied by `_changed`."""

    if TYPE_CHECKING:

        def _reading(self) -> Dataset: ...
        def _changed(self: Output, **members: Any) -> Output: ...

    def keep_columns(self: Output, columns: Union[str, Sequence[str]]) -> Output:
        """Return a copy with these columns only.

        Args:
            columns: The name of a column, or a list of names.

        Raises:
            UserErrorException: They are no names.
        """
        from azureml.data._output_readings import keep

        return self._changed(_rows=keep(self._reading(), columns))

    def drop_columns(self: Output, columns: Union[str, Sequence[str]]) -> Output:
        """Return a copy without these columns.

        Args:
            columns: The name of a column, or a list of names.

        Raises:
            UserErrorException: They are no names.
        """
        from azureml.data._output_readings import drop

        return self._changed(_rows=drop(self._reading(), columns))
