"""A derivation with its numbers."""
