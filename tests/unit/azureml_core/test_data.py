"""References to data, and what is refused."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest

from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AciWebservice
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import UserErrorException

STORE = SimpleNamespace(name="store")


def test_names_of_references() -> None:
    assert DataReference(STORE).data_reference_name == "store"
    assert DataReference(STORE, path_on_datastore="/").data_reference_name == "store"
    first, second = (DataReference(STORE, path_on_datastore="x").data_reference_name for _ in range(2))
    assert first != second
    assert str(DataReference(STORE, "name")) == "$AZUREML_DATAREFERENCE_name"


def test_paths_of_references() -> None:
    root = DataReference(STORE)
    assert all(root.path(path) is root for path in (None, ".", "./", "/"))
    below = root.path("a").path("b/c", "named")
    assert (below.path_on_datastore, below.data_reference_name) == ("a/b/c", "named")


def test_modes_keep_name_and_honour_overwrite() -> None:
    reference = DataReference(STORE, "name", "x")
    download = reference.as_download("/there", overwrite=True)
    assert (download.mode, download.path_on_compute, download.overwrite) == ("download", "/there", True)
    assert download.data_reference_name == "name"
    assert reference.mode == "mount"
    assert copy.deepcopy(reference.as_upload()).mode == "upload"
    with pytest.raises(UserErrorException, match="'direct'"):
        DataReference(STORE, mode="direct")


def test_reference_becomes_a_configuration() -> None:
    config = DataReference(STORE, "name", "x", "download", "/c", True).to_config()
    assert (config.data_store_name, config.path_on_data_store, config.mode, config.overwrite) == ("store", "x", "download", True)


def test_data_path_and_binding_make_a_reference() -> None:
    path = DataPath(STORE, "x", "name")
    binding = DataPathComputeBinding("download", "/c", True)
    reference = DataReference.create("r", path, binding)
    assert (reference.data_reference_name, reference.path_on_datastore, reference.mode) == ("r", "x", "download")
    assert DataPath.create_from_data_reference(reference).datastore_name == "store"
    assert DataPathComputeBinding.create_from_data_reference(reference).overwrite is True
    assert DataPath(STORE)._name.startswith("store_")
    with pytest.raises(ValueError, match="datastore"):
        DataPath()
    with pytest.raises(ValueError, match="both"):
        DataReference.create("r", path)


@pytest.mark.parametrize(
    "use",
    [
        lambda: Model.deploy(None, "x", []),
        lambda: Model.package(None, []),
        lambda: Model(None).profile(None, "x", [], None, None),
        lambda: AciWebservice.deploy_from_image(),
    ],
)
def test_later_features_refuse_by_name(use: object) -> None:
    with pytest.raises(NotImplementedError, match=r"(Model|Webservice).*not part of this version"):
        use()  # type: ignore[operator]


def test_inference_config_keeps_what_it_is_given() -> None:
    assert InferenceConfig(entry_script="score.py").entry_script == "score.py"
