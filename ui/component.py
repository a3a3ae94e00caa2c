"""The one Streamlit component: it loads the browser's code from the app and names the page."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from ui.server import assets

# Inline code is sent along with every run, so it only points at the files that are cached.
# The line break tells Streamlit that this is code and not a path.
LOADER = (
    "export default (c) => import(new URL({address!r}, document.baseURI).href)\n"
    ".then((m) => m.lab(c), () => document.querySelector('[data-lab-failed]')"
    "?.removeAttribute('hidden'))"
)
# Drawn before any script has loaded, so that the first second is not blank; and what to do if none
# does, because the network fails or a server of another version was asked for them.
SKELETON = (
    '<p data-lab-failed hidden role="alert">The app\'s files did not load: the connection failed, '
    'or the app has just been updated. <a href="" target="_self">Reload</a>: your setup is kept.'
    "</p>"
    '<div class="lab-root" data-lab><p class="lab-wait">Warming up the optimizers…</p></div>'
)


@cache
def _component() -> Any:
    script = LOADER.format(address=assets.address(assets.MAIN))
    # Not isolated: Plotly adds its styles to the document, which a shadow root would not see.
    return st.components.v2.component("descent_lab", html=SKELETON, js=script, isolate_styles=False)


def show(key: str) -> None:
    """Put a page on the screen; all that it shows it asks for by itself."""
    _component()(key=key, data={"page": key})
