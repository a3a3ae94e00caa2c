"""The player: its Streamlit components, the messages that they carry, and the browser code."""
