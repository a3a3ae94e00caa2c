"""Descent Lab. Started by `streamlit run app.py`, it serves; run as a session's script, it names
the pages."""

from starlette.middleware import Middleware
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx
from streamlit.starlette import App

from ui import assets, warmup

if get_script_run_ctx(suppress_warning=True) is None:
    app = App(
        __file__,
        routes=assets.ROUTES,
        middleware=[Middleware(assets.Preload)],
        lifespan=warmup.lifespan,
    )
else:
    import streamlit as st

    st.set_page_config(page_title="Descent Lab", page_icon="📉", layout="wide")
    st.navigation(
        [st.Page("pages/compare.py", title="Compare", icon=":material/flag:", default=True)],
        position="top",
    ).run()
