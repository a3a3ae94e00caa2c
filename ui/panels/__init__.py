"""One folder a panel: what it sends (panel.py) beside what it draws (panel.js, panel.css)."""

import importlib
import pkgutil

from ui.panel import Panel

PANELS: dict[str, Panel] = {}
for _info in pkgutil.iter_modules(__path__):
    _panel = importlib.import_module(f"{__name__}.{_info.name}.panel").PANEL
    if _panel.key != _info.name:
        raise TypeError(f"ui/panels/{_info.name}/panel.py: PANEL.key must be {_info.name!r}.")
    PANELS[_panel.key] = _panel
