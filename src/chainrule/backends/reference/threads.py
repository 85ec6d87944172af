"""One thread for BLAS while the reference computes: the bits of a float32 product change with the number of threads."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Final

from threadpoolctl import ThreadpoolController  # pyright: ignore[reportMissingTypeStubs] - it has none


class OneBlasThread:
    """Holds every BLAS of the process to one thread; the first one in sets the limit, the last one out lifts it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._controller: Any = None  # threadpoolctl has no types
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._limit = self._made().limit(limits=1)
                self._limit.__enter__()
            self._users += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._limit.__exit__(kind, error, trace)

    def _made(self) -> Any:
        """The controller, made when first needed: it looks through all loaded libraries."""
        if self._controller is None:
            everything: Any = ThreadpoolController()
            self._controller = everything.select(user_api="blas")
        return self._controller


ONE_BLAS_THREAD: Final = OneBlasThread()
