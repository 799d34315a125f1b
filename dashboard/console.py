"""What runs for every look at the console: who looks, and which page; draws nothing else. `dashboard.app` serves it."""

import streamlit as st

from dashboard import watching
from dashboard.badges import badges
from dashboard.door import person_at_the_door
from dashboard.frame import frame
from dashboard.navigation import pages
from dashboard.sidebar import sidebar

frame()
person = person_at_the_door()
sidebar(person)
page = st.navigation(pages(person))
watching.enter(page.url_path)
page.run()
# Last: what waits must not hold up what was asked for.
badges(person)
