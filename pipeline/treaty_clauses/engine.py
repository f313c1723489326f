"""OpenVINO, imported without its model converter until somebody asks for that."""

import sys
from typing import Any

_CONVERTER = "openvino.tools.ovc"


def import_engine() -> Any:
    """Import OpenVINO and leave its converter for later.

    OpenVINO's package imports the converter at once if it can: a third of its start (0.08 of 0.24 s, OpenVINO 2026.4,
    2026-11-23), and the converter reports each import to its makers over the network, where this program has to work
    offline. `openvino.convert_model` still works; it imports the converter when it is looked up.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    if "openvino" in sys.modules or _CONVERTER in sys.modules:
        import openvino

        return openvino
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # an import of it fails, which the package expects
    try:
        import openvino
    finally:
        del sys.modules[_CONVERTER]
    openvino.__getattr__ = _look_up
    return openvino


def _look_up(name: str) -> Any:
    if name == "convert_model":
        from openvino.tools.ovc import convert_model

        return convert_model
    raise AttributeError(f"module 'openvino' has no attribute {name!r}")
