"""The race's exports, each made only when it is asked for."""

from __future__ import annotations

import streamlit as st

from ui import race_stage, stage
from ui.export import file_name, python_script, trajectories_csv
from ui.language import _
from ui.race import Race, to_json
from ui.race_controls import lane_names
from ui.runner import run_all


def exports(race: Race) -> None:
    """A row of download buttons under a popover."""
    if not race.lanes:
        return
    name = f"descent-{file_name(race.landscape)}"

    def page() -> str:
        moving = race_stage.moving(race, run_all(race))
        return stage.standalone({"scene": "0", "still": race_stage.still(race), **moving}, name)

    with st.popover(_("Export"), icon=":material/download:"):
        for label, kind, data, mime in (
            (_("Trajectories (CSV)"), "csv", lambda: trajectories_csv(lane_names(race), run_all(race)), "text/csv"),
            (_("RunSpecs (JSON)"), "json", lambda: to_json(race), "application/json"),
            (_("Stand-alone animation (HTML)"), "html", page, "text/html"),
            (_("Python script"), "py", lambda: python_script(race.runs()), "text/x-python"),
        ):
            st.download_button(label, data, f"{name}.{kind}", mime, on_click="ignore", width="stretch")
        st.caption(_("The PNG button beside the slider saves the picture."))
