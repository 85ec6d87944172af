"""Differentiation and simplification: graph in, graph out."""
