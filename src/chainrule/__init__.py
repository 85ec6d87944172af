"""Neural networks trained by backpropagation, with every step of it open to read."""

from __future__ import annotations
