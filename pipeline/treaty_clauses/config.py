"""Recipes: frozen dataclasses read from TOML; an unknown key is an error."""

import dataclasses
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from treaty_clauses.errors import ConfigError

T = TypeVar("T")


def load_recipe(path: Path, kind: type[T]) -> T:
    """Read a TOML file into the frozen dataclass `kind`; tables become nested dataclasses, arrays of tables tuples.

    Raises:
        ConfigError: The file is missing or no TOML, a key is unknown or missing, or a value has the wrong type.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the recipe: {error}; give the path of a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from error
    return build_recipe(table, kind, str(path))


def build_recipe(table: dict[str, Any], kind: type[T], where: str) -> T:
    """Turn a table of plain TOML values into the frozen dataclass `kind`; `where` begins the message of an error.

    Raises:
        ConfigError: A key is unknown or missing, or a value has the wrong type.
    """
    assert dataclasses.is_dataclass(kind)
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(table) - set(fields))
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; expected one of {', '.join(sorted(fields))}")
    values = {key: _convert(value, hints[key], f"{where}: {key}") for key, value in table.items()}
    try:
        return typing.cast(T, kind(**values))
    except (TypeError, ConfigError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        return _convert(value, options[0], where)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: expected a list, found {value!r}")
        return tuple(_convert(item, typing.get_args(hint)[0], where) for item in value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: expected a table, found {value!r}")
        return build_recipe(value, hint, where)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{where}: expected {getattr(hint, '__name__', hint)}, found {value!r}")
    return value


def to_table(recipe: Any) -> dict[str, Any]:
    """The resolved recipe as plain JSON/TOML values, to be saved beside the weights."""

    def plain(value: Any) -> Any:
        if isinstance(value, Path):
            return str(value)
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if item is not None}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return value

    table = plain(dataclasses.asdict(recipe))
    assert isinstance(table, dict)
    return table
