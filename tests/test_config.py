from dataclasses import dataclass, field
from pathlib import Path

import pytest

from treaty_clauses.config import load_recipe, to_table
from treaty_clauses.errors import ConfigError


@dataclass(frozen=True)
class Part:
    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Recipe:
    steps: int
    parts: tuple[Part, ...] = ()
    inner: Part = field(default_factory=lambda: Part("inner"))
    start: Path | None = None
    fast: bool = False


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_tables_become_dataclasses(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'steps = 3\nfast = true\nstart = "a/b"\ninner = {name = "x", weight = 2}\n[[parts]]\nname = "甲"\n',
    )
    recipe = load_recipe(path, Recipe)
    assert recipe == Recipe(3, (Part("甲"),), Part("x", 2.0), Path("a/b"), True)
    assert isinstance(recipe.inner.weight, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = 1\nstep = 2", r"recipe\.toml: unknown key 'step'; expected one of fast"),
        ('steps = 1\n[[parts]]\nname = "x"\nwieght = 1', r"recipe\.toml: parts: unknown key 'wieght'"),
        ("fast = true", r"recipe\.toml: .*steps"),
        ('steps = "three"', r"recipe\.toml: steps: expected int, found 'three'"),
        ("steps = true", r"steps: expected int, found True"),
        ("steps = 1\nparts = 4", r"parts: expected a list, found 4"),
        ("steps = 1\ninner = 4", r"inner: expected a table, found 4"),
        ("steps = ", r"recipe\.toml: not a TOML file"),
    ],
    ids=["unknown", "unknown inside", "missing", "wrong type", "boolean", "no list", "no table", "no toml"],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(write(tmp_path, text), Recipe)


def test_a_missing_recipe_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give the path of a TOML file"):
        load_recipe(tmp_path / "no.toml", Recipe)


def test_a_recipe_that_is_no_text_is_a_config_error(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a TOML file"):
        load_recipe(path, Recipe)


def test_the_resolved_recipe_is_plain_values() -> None:
    table = to_table(Recipe(3, (Part("甲"),), start=Path("a")))
    assert table == {
        "steps": 3,
        "parts": [{"name": "甲", "weight": 1.0}],
        "inner": {"name": "inner", "weight": 1.0},
        "start": "a",
        "fast": False,
    }


@pytest.mark.parametrize("name", ["pretrain", "tagger"])
def test_the_recipes_that_ship_can_be_read(name: str) -> None:
    from treaty_clauses.training.pretrain import PretrainRecipe
    from treaty_clauses.training.start import TrainRecipe

    folder = Path(__file__).parents[1] / "models" / "recipes"
    found = sorted(folder.glob(f"{name}*.toml"))
    kind: type[object] = PretrainRecipe if name == "pretrain" else TrainRecipe
    if not found:
        pytest.skip(f"no {name} recipe lies in models/recipes")
    for path in found:
        assert isinstance(load_recipe(path, kind), kind), path
