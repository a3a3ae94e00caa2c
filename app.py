"""Descent Lab. Started by `streamlit run app.py` or `uvicorn app:app`, it serves; run as a
session's script, it names the pages."""

from functools import partial

from starlette.middleware import Middleware
from streamlit.starlette import App

from pages import PAGES
from ui.server import answers, assets, gate, private, settings, warmup
from ui.server.smaller import Smaller
from ui.server.waiting import Waiting

assets.serve(PAGES)

if not private.is_session():
    private.forget_pages_folder()
    app = App(
        __file__,
        routes=[*answers.routes(PAGES), assets.ROUTE],
        middleware=[Middleware(m) for m in (gate.Gate, warmup.Starting, Smaller, Waiting)],
        lifespan=warmup.lifespan,
    )
    settings.read_environment()
else:
    import streamlit as st

    from ui.component import show

    st.set_page_config(page_title="Descent Lab", page_icon="📉", layout="wide")
    st.navigation(
        [
            st.Page(
                partial(show, key),
                title=page.title,
                icon=f":material/{page.icon}:",
                url_path=key,
                default=number == 0,
            )
            for number, (key, page) in enumerate(PAGES.items())
        ],
        position="top",
    ).run()
