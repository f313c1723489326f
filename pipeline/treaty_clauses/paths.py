"""Where the package's own files lie: inside the wheel, or beside it in a checkout."""

from importlib.resources import files
from pathlib import Path

from treaty_clauses.errors import ModelError

DEFAULT_MODEL = "tagger"


def default_model() -> Path:
    """The folder of the model that ships with the package.

    Raises:
        ModelError: Neither the installed package nor the checkout has one.
    """
    package = Path(str(files("treaty_clauses")))
    places = (package / "models" / DEFAULT_MODEL, package.parents[1] / "models" / DEFAULT_MODEL)
    for place in places:
        if (place / "config.json").exists():
            return place
    raise ModelError(f"no default model at {' or '.join(map(str, places))}; reinstall, or name a model folder")
