"""The console's server: its pages, and the routes beside them; `streamlit run dashboard/app.py`."""

from pathlib import Path

import streamlit as st

from dashboard.door import is_drawn_by_the_door
from dashboard.routes import ROUTES

app = st.App(Path(__file__).with_name("console.py"), routes=ROUTES, on_script_error=is_drawn_by_the_door)
