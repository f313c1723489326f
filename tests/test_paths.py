from pathlib import Path

import pytest

from treaty_clauses import paths
from treaty_clauses.errors import ModelError
from treaty_clauses.paths import default_model


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "pipeline" / "treaty_clauses"
    folder.mkdir(parents=True)
    monkeypatch.setattr(paths, "files", lambda _: folder)
    return folder


@pytest.mark.parametrize("place", ["pipeline/treaty_clauses/models/tagger", "models/tagger"], ids=["wheel", "checkout"])
def test_the_model_lies_in_the_package_or_beside_it(package: Path, tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert default_model() == folder


def test_without_one_both_places_are_named(package: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        default_model()
    for part in (str(package / "models" / "tagger"), str(tmp_path / "models" / "tagger"), "name a model folder"):
        assert part in str(caught.value)
