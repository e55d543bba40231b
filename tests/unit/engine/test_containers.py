"""Which steps run in containers, and the command lines that run, stop and remove those."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from penstock.engine.environments import containers
from penstock.engine.environments.containers import Container, Image, read_image, with_docker
from penstock.model.errors import Invalid, Unsupported
from penstock.model.requirements import parse_environment

IMAGE = Image("team/image:1")


def container(engine: str = "/x/docker", **changes) -> Container:
    return Container(
        **{"engine": engine, "name": "penstock-1", "image": IMAGE, "folder": "/runs/1", "command": ["python", "-x"], **changes}
    )


def image_of(**docker: object) -> Image | None:
    definition = {"name": "mine", "docker": {"enabled": True, "baseImage": "team/image:1", **docker}}
    return read_image(definition, parse_environment(definition).image)


def test_the_command_of_a_container():
    command = containers.run_command(container(variables=["B", "A", "no name"], shared=["/runs/1"], read_only=["/lib"]))
    assert command == [
        *("/x/docker", "run", "--rm", "--init", "--name", "penstock-1", "--workdir", "/runs/1", "--network", "host"),
        *("--user", f"{os.getuid()}:{os.getgid()}", "--env", "HOME=/runs/1", "--mount", "type=bind,source=/runs/1,target=/runs/1"),
        *("--mount", "type=bind,source=/lib,target=/lib,readonly", "--env", "A", "--env", "B", "team/image:1", "python", "-x"),
    ]


def test_a_python_from_here_leads_the_path_of_the_image():
    command = containers.run_command(container(leads_path="/envs/1/bin"))
    assert command[-6:] == ["/bin/sh", "-c", 'export PATH="$0:$PATH"; exec "$@"', "/envs/1/bin", "python", "-x"]


def test_podman_keeps_the_user():
    command = containers.run_command(container("/x/podman"))
    assert command[command.index("--userns") + 1] == "keep-id"
    assert "--userns" not in containers.run_command(container())


def test_stopping_and_removing_a_container():
    assert containers.stop_command(container(grace_seconds=7.0)) == ["/x/docker", "stop", "-t", "7", "penstock-1"]
    assert containers.remove_command(container()) == ["/x/docker", "rm", "--force", "penstock-1"]
    assert containers.remove_command(container("/x/podman")) == ["/x/podman", "rm", "--force", "-t", "0", "penstock-1"]


def test_v1s_docker_arguments_and_shared_memory():
    image = image_of(arguments=["--cpus=2", "-m", "4g", "-e", "X=1"], shmSize="2g")
    command = containers.run_command(container(image=image))
    assert command[-10:] == ["--shm-size", "2g", "--cpus=2", "-m", "4g", "-e", "X=1", "team/image:1", "python", "-x"]


@pytest.mark.parametrize("arguments", [["--privileged"], ["-v", "/:/host"], ["--cpus=1", "--pid=host"], ["image"]])
def test_arguments_that_reach_too_far_are_refused(arguments):
    with pytest.raises(Unsupported, match="is not passed on"):
        image_of(arguments=arguments)


@pytest.mark.parametrize("changes", [{"baseImage": "--privileged"}, {"baseImage": "a b"}, {"arguments": ["--cpus"]}])
def test_images_that_can_not_be(changes):
    with pytest.raises(Invalid):
        image_of(**changes)


def test_a_folder_that_can_not_be_shared_is_named():
    with pytest.raises(Invalid, match="/a,readonly"):
        containers.run_command(container(shared=["/a,readonly"]))


@pytest.mark.parametrize(
    ("docker", "image"),
    [
        ({}, IMAGE),
        ({"enabled": False}, None),
        ({"baseImage": None}, None),
        ({"baseImage": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"}, None),
        ({"baseImageRegistry": {"address": "registry.example.com"}}, Image("registry.example.com/team/image:1")),
        ({"baseImage": "r.io/a", "baseImageRegistry": {"address": "r.io", "password": "secret"}}, Image("r.io/a")),
    ],
)
def test_who_asks_for_a_container(docker, image):
    assert image_of(**docker) == image


def test_an_image_that_would_have_to_be_built_is_refused():
    with pytest.raises(Unsupported, match="'mine' has a Dockerfile"):
        image_of(baseImage=None, baseDockerfile="FROM scratch")


def test_a_run_configuration_asks_for_the_container_of_its_environment():
    definition = {"name": "mine", "docker": {"enabled": False, "baseImage": "team/image:1", "shmSize": "2g"}}
    assert with_docker(definition, {"useDocker": False, "shmSize": "4g"}) is definition
    asked = with_docker(definition, {"useDocker": True, "shmSize": "4g", "arguments": ["--cpus=2"]})
    assert read_image(asked, "team/image:1") == Image("team/image:1", "4g", ("--cpus=2",))


def test_the_folders_of_a_python(tmp_path: Path):
    for name in ("made/bin", "minor-1.2.3/bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "minor-1.2.3/bin/python3").touch()
    (tmp_path / "minor").symlink_to("minor-1.2.3")
    (tmp_path / "made/bin/python").symlink_to(tmp_path / "minor/bin/python3")
    assert containers.list_folders(str(tmp_path / "made/bin/python")) == [str(tmp_path / name) for name in ("made", "minor", "minor-1.2.3")]


def test_the_systems_python_can_not_be_shown_to_a_container(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to("/usr/bin/python3.0")
    with pytest.raises(Unsupported, match="user_managed_dependencies"):
        containers.list_folders(str(tmp_path / "bin/python"))


def test_an_engine_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Invalid, match="podman"):
        containers.find_engine("podman")


def test_no_value_of_a_variable_is_in_a_command(monkeypatch):
    monkeypatch.setenv("TOKEN", "secret")
    assert "secret" not in json.dumps(containers.run_command(container(variables=["TOKEN"])))
