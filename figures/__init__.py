"""Arrays that a plot draws, from surfaces. No Streamlit."""
