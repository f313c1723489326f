import shutil
import subprocess
from pathlib import Path

import pytest

from treaty_clauses.checksums import NAME, check_checksums, list_data, write_checksums
from treaty_clauses.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    for name in ("b/two.yaml", "one.txt", "README.md"):
        (tmp_path / name).write_text("停火\r\n", encoding="utf-8", newline="")
    return tmp_path


def test_data_is_listed_in_order_and_words_about_it_are_not(folder: Path) -> None:
    assert write_checksums(folder) == 2
    assert list_data(folder) == ["b/two.yaml", "one.txt"]
    assert check_checksums(folder) == []
    (folder / "README.md").write_text("other", encoding="utf-8")
    assert check_checksums(folder) == []


def test_each_difference_is_named(folder: Path) -> None:
    write_checksums(folder)
    (folder / "one.txt").write_text("other", encoding="utf-8")
    (folder / "b" / "two.yaml").rename(folder / "b" / "three.yaml")
    problems = [problem.removeprefix(f"{folder}/") for problem in check_checksums(folder)]
    assert problems == ["b/two.yaml: missing", f"b/three.yaml: not in {NAME}", "one.txt: changed"]


def test_a_folder_without_checksums_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match=NAME):
        check_checksums(folder)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_sha256sum_reads_the_file(folder: Path) -> None:
    write_checksums(folder)
    subprocess.run(["sha256sum", "--check", "--strict", NAME], cwd=folder, check=True, capture_output=True)
