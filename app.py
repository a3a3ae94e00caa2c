"""Descent Lab. Started by `streamlit run app.py`, it serves; run as a session's script, it names
the pages."""

from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx
from streamlit.starlette import App

from ui import assets, tables, warmup

if get_script_run_ctx(suppress_warning=True) is None:
    # Until a first session has come to st.navigation, Streamlit would run a file of pages/ on its
    # own, without this one, for whoever opens its address.
    PagesManager.uses_pages_directory = False
    app = App(
        __file__,
        routes=[*assets.ROUTES, *tables.ROUTES],
        middleware=[Middleware(warmup.Starting), Middleware(assets.Preload)],
        lifespan=warmup.lifespan,
    )
else:
    import streamlit as st

    st.set_page_config(page_title="Descent Lab", page_icon="📉", layout="wide")
    st.navigation(
        [
            st.Page("pages/compare.py", title="Compare", icon=":material/flag:", default=True),
            st.Page("pages/learning_rate.py", title="Learning rate", icon=":material/speed:"),
            st.Page("pages/step_by_step.py", title="Step by step", icon=":material/function:"),
            st.Page("pages/schedules.py", title="Schedules", icon=":material/timeline:"),
        ],
        position="top",
    ).run()
