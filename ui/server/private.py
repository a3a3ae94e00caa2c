"""The private names of Streamlit that the app stands on, all of them.

tests/test_private_names.py says what each is for, and what to do when Streamlit drops it.
"""

from typing import Any

from streamlit.config import get_where_defined, set_option
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx


def is_session() -> bool:
    """Whether this code runs as a session's script, and not as the program that serves."""
    return get_script_run_ctx(suppress_warning=True) is not None


def forget_pages_folder() -> None:
    """Streamlit must not offer each file of pages/ on its own.

    Until a first session has come to st.navigation, it would run one without app.py for whoever
    opens its address.
    """
    PagesManager.uses_pages_directory = False


def set_unless_flagged(option: str, value: Any) -> None:
    """Set one of Streamlit's options, unless `streamlit run` was given it."""
    if get_where_defined(option) != "command-line argument or environment variable":
        set_option(option, value)
