"""The console: names its pages and draws nothing else; `streamlit run dashboard/app.py`."""

import streamlit as st

from dashboard.frame import frame
from dashboard.views import ingestion, live

frame()
st.navigation(
    [
        st.Page(live.page, title="Live monitor", icon=":material/sensors:", url_path="live", default=True),
        st.Page(ingestion.page, title="Ingestion", icon=":material/input:", url_path="ingestion"),
    ]
).run()
