import subprocess
import sys

_SCRIPT = """
import sys
from treaty_clauses.engine import import_engine
engine = import_engine()
print(any(name.startswith("openvino_telemetry") for name in sys.modules), engine.Core().available_devices)
print(import_engine() is engine, callable(engine.convert_model), hasattr(engine, "no_such_thing"))
"""


def test_the_engine_starts_without_its_converter_and_finds_it_later() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False ['CPU']", "True True False"]


def test_an_engine_that_is_there_already_is_left_as_it_is() -> None:
    script = "import openvino; from treaty_clauses.engine import import_engine; print(import_engine() is openvino)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
