"""One file that tells a run."""
