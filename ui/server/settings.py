"""Streamlit's options from the environment, also where `streamlit run` did not start the app."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ui.server import private

# Read by the command `streamlit run` itself; under uvicorn nobody would.
VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "STREAMLIT_SERVER_BASE_URL_PATH": ("server.baseUrlPath", str),
    "STREAMLIT_SERVER_ALLOWED_HOSTS": ("server.allowedHosts", str.split),
}


def read_environment() -> None:
    """Set each option whose variable is there, unless the command line has set it."""
    for variable, (option, read) in VARIABLES.items():
        if variable in os.environ:
            private.set_unless_flagged(option, read(os.environ[variable]))
