import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from penstock.compile.manifests import Entry, manifest_digest, read_manifest, total_size

NAMES = st.text("abcdefgh_.-é", min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))
ENTRIES = st.lists(
    st.builds(Entry, NAMES, st.integers(0, 9999), st.text("0123456789abcdef", min_size=64, max_size=64), st.booleans()),
    unique_by=lambda entry: entry.path,
)


@given(ENTRIES, st.randoms())
def test_the_order_of_entries_does_not_count(entries, random):
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert manifest_digest(shuffled) == manifest_digest(entries)


@given(ENTRIES, ENTRIES)
def test_different_contents_have_different_digests(first, second):
    assert (manifest_digest(first) == manifest_digest(second)) == (sorted(first) == sorted(second))


def test_a_folder_a_file_and_nothing(tmp_path: Path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b.txt").write_text("bb")
    (tmp_path / "a.txt").write_text("a")
    entries = read_manifest(str(tmp_path))
    assert [entry.path for entry in entries] == ["a.txt", "deep/er/b.txt"]
    assert total_size(entries) == 3
    assert [entry.path for entry in read_manifest(str(tmp_path / "a.txt"))] == [""]
    assert read_manifest(str(tmp_path / "nothing")) == []


def test_times_do_not_count_and_the_executable_bit_does(tmp_path: Path):
    file = tmp_path / "run.sh"
    file.write_text("true")
    before = manifest_digest(read_manifest(str(tmp_path)))
    os.utime(file, (1, 1))
    assert manifest_digest(read_manifest(str(tmp_path))) == before
    file.chmod(0o755)
    assert manifest_digest(read_manifest(str(tmp_path))) != before


def test_a_link_to_its_own_parent_ends(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "file").write_text("x")
    assert [entry.path for entry in read_manifest(str(tmp_path))] == ["file"]
