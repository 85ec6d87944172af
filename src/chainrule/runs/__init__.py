"""One run and all that can be asked of it."""
