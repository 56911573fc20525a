"""The floor of bench/board.py: a Streamlit page with one table and one chart of figures that are there already."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

st.title("Bare")
picked = st.selectbox("Score shown in the charts", ["Pair score", "Refusal", "Grounding", "References", "Relevance"])
figure = go.Figure(go.Scatter(x=[n / 40 for n in range(40)], y=list(range(40)), mode="markers"))
figure.update_layout(xaxis={"title": {"text": picked}})
st.plotly_chart(figure)
st.dataframe({f"column {c}": [f"0.{n:03} [0.{n:03}, 0.{n:03}]" for n in range(1000)] for c in range(12)})
