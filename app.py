"""Descent Lab. Started by `streamlit run app.py` or `uvicorn app:app`, it serves; run as a
session's script, it names the pages."""

from starlette.middleware import Middleware
from streamlit.starlette import App

from ui import assets, gate, private, settings, tables, warmup
from ui.waiting import Waiting

if not private.is_session():
    private.forget_pages_folder()
    app = App(
        __file__,
        routes=[*assets.ROUTES, *tables.ROUTES],
        middleware=[Middleware(gate.Gate), Middleware(warmup.Starting), Middleware(Waiting)],
        lifespan=warmup.lifespan,
    )
    settings.read_environment()
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
