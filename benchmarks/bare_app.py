"""The floor of the page benchmark: one slider and one number."""

import streamlit as st

st.text(f"value {st.slider('slider', 0, 400, 200)}")
