"""Time passes here: an experiment becomes graphs, graphs become steps, steps become a run."""
