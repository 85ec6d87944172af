"""Native code for this processor: graphs planned, written in the language of LLVM, compiled and run."""

from chainrule.backends.native.backend import NativeBackend

__all__ = ["NativeBackend"]
