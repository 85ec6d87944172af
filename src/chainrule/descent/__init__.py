"""How a network comes down its loss: paths, curves, surfaces, where it settles, and what its layers collapse to."""
