"""The runs of a comparison: who runs, under which conditions, and what came of it."""
