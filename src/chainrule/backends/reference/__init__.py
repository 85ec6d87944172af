"""The table of primitives in NumPy: what each one means."""

from chainrule.backends.reference.backend import ReferenceBackend

__all__ = ["ReferenceBackend"]
