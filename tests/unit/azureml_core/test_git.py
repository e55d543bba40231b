"""What git's files tell about a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from azureml.core._git import git_properties


def repository(folder: Path, head: str = "ref: refs/heads/main") -> Path:
    (folder / ".git" / "refs" / "heads").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text(head + "\n")
    (folder / ".git" / "refs" / "heads" / "main").write_text("abc123\n")
    (folder / ".git" / "config").write_text('[core]\n\tbare = false\n[remote "origin"]\n\turl = https://user:secret@host/team/code.git\n')
    return folder


def test_branch_commit_and_remote_without_password(tmp_path: Path) -> None:
    (repository(tmp_path) / "deep" / "er").mkdir(parents=True)
    found = git_properties(str(tmp_path / "deep" / "er"))
    assert found["azureml.git.branch"] == found["mlflow.source.git.branch"] == "main"
    assert found["azureml.git.commit"] == "abc123"
    assert found["azureml.git.repository_uri"] == "https://host/team/code.git"


def test_detached_and_packed(tmp_path: Path) -> None:
    repository(tmp_path, "def456")
    assert git_properties(str(tmp_path))["azureml.git.commit"] == "def456"
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/old")
    (tmp_path / ".git" / "packed-refs").write_text("# pack-refs\n777aaa refs/heads/old\n")
    assert git_properties(str(tmp_path))["azureml.git.commit"] == "777aaa"


def test_variables_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZUREML_GIT_BRANCH", "release")
    assert git_properties(str(repository(tmp_path)))["mlflow.source.git.branch"] == "release"
