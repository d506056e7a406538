"""The engine: one thread that loads weights and writes answers, in batches that share exactly the same weights.

Rows wait in one group per model name. A group's turn lasts a fraction of a second while others wait, and the group
that has had the least computing time goes next. New rows of the group on turn join between two steps, several of about
one length at once; prompts of a small model are read by other threads meanwhile, since its layers are too small to
divide among processors.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import torch

from core.errors import KurabeError, as_kurabe_error
from core.host.attention import Cohort, Seat
from core.host.cohorts import Read, Together, begin_alike, next_together
from core.host.library import Library, Loaded
from core.host.meter import Meter
from core.host.rows import Row
from core.host.sampling import choose
from core.settings import settings

__all__ = ["Engine"]

logger = logging.getLogger(__name__)

MAX_ROWS = 48
"""Most rows of one group that step together."""

_TURN_SECONDS = 0.25
"""How long a group goes on while another one waits."""

PROCESSORS = torch.get_num_threads()
"""As many as torch was given when the process started."""

_JOIN_TOKENS = 2048
"""Prompt tokens read between two steps, so that many new rows do not stall those that are being written."""

_JOIN_ROWS = 8
"""Rows that must have left before new ones join where more wait than there is room for: few cohorts step quickest."""


@dataclass
class _Group:
    """The rows that ask for the same weights."""

    model: str
    waiting: deque[Row] = field(default_factory=deque)
    reading: dict[Future[None], list[Row]] = field(default_factory=dict)
    """Rows whose prompts other threads read, in the order of their coming."""
    active: list[Row] = field(default_factory=list)
    served: float = 0.0
    """Seconds of computing that it had, against which turns are shared out."""

    @property
    def rows(self) -> list[Row]:
        """The rows under way."""
        return [*self.active, *(row for rows in self.reading.values() for row in rows)]

    def has_work(self) -> bool:
        return bool(self.waiting or self.reading or self.active)

    def charge(self, since: float) -> float:
        """Add the seconds since a moment to what it had, and return the moment up to which that is."""
        now = time.monotonic()
        self.served += now - since
        return now


class Engine:
    """Accepts rows from any thread and writes their answers in its own."""

    def __init__(self, make_library: Callable[[], Library] = Library) -> None:
        self._make_library = make_library
        self._library: Library | None = None
        self._incoming: deque[Row] = deque()
        self._groups: dict[str, _Group] = {}
        self._reserved: dict[str, int] = {}
        self._wake = threading.Condition()
        self._last: Read | None = None
        """The prompt that was read last, if it may be shared: neighbours in a queue mostly begin alike."""
        self._readers = ThreadPoolExecutor(PROCESSORS, thread_name_prefix="reader")
        self._meter = Meter()
        self._stopping = False
        self._unload = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, row: Row) -> None:
        """Queue a row; its listener hears of everything that follows."""
        with self._wake:
            self._incoming.append(row)
            self._wake.notify()

    def cancel(self, row: Row) -> None:
        """Let a row go at the next step, as when its client went away."""
        row.cancelled = True
        with self._wake:
            self._wake.notify()

    def unload(self) -> None:
        """Free all weights as soon as no row needs them."""
        with self._wake:
            self._unload = True
            self._wake.notify()

    def stop(self, wait_seconds: float = 5.0) -> None:
        """Fail what is left and end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(wait_seconds)
        self._readers.shutdown(wait=False, cancel_futures=True)

    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    def status(self) -> dict[str, Any]:
        """Return what is loaded and how much waits, for people and for whoever needs the device."""
        library = self._library
        groups = list(self._groups.values())
        return {
            "loaded": sorted(library.loaded) if library else [],
            "device": library.device if library else None,
            "precision": str(library.dtype).removeprefix("torch.") if library else None,
            "active": sum(len(group.rows) for group in groups),
            "waiting": sum(len(group.waiting) for group in groups) + len(self._incoming),
        }

    # Everything below runs in the engine's thread.

    def _run(self) -> None:
        try:
            self._library = self._make_library()
        except KurabeError as error:
            self._refuse_all(error)
            return
        idle_since = time.monotonic()
        while not self._stopping:
            self._collect()
            if (group := self._next_group()) is not None:
                self._take_turn(group)
                idle_since = time.monotonic()
                continue
            if self._unload or time.monotonic() - idle_since > settings().host_idle_seconds:
                self._free()
            with self._wake:
                if not self._incoming and not self._stopping and not self._unload:
                    self._wake.wait(timeout=5.0)
        self._fail_rest()

    def _refuse_all(self, error: KurabeError) -> None:
        """Answer every row with what keeps this host from computing at all, such as a GPU that is not there."""
        while not self._stopping:
            while self._incoming:
                self._incoming.popleft().fail(error)
            with self._wake:
                if not self._incoming and not self._stopping:
                    self._wake.wait(timeout=5.0)

    def _free(self) -> None:
        self._unload, self._last = False, None
        assert self._library is not None
        if self._library.loaded:
            logger.info("unloading %s", ", ".join(self._library.loaded))
            self._library.unload()
        self._groups.clear()

    def _collect(self) -> None:
        """Sort new rows into their groups, and let cancelled ones go."""
        while self._incoming:
            row = self._incoming.popleft()
            group = self._groups.setdefault(row.model, _Group(row.model))
            if not group.has_work():
                # A group that was away gets no credit for that time, or it would starve the others.
                busy = [other.served for other in self._groups.values() if other.has_work()]
                group.served = max(group.served, min(busy, default=group.served))
            group.waiting.append(row)

    def _next_group(self) -> _Group | None:
        for group in self._groups.values():
            if any(row.cancelled for row in group.waiting):
                group.waiting = deque(row for row in group.waiting if not row.cancelled)
        ready = [group for group in self._groups.values() if group.has_work()]
        return min(ready, key=lambda group: group.served, default=None)

    def _take_turn(self, group: _Group) -> None:
        began = charged = time.monotonic()
        try:
            loaded = self._activate(group)
            while group.has_work() and not self._stopping:
                self._drop_cancelled(group)
                self._admit(group, loaded)
                self._gather(group)
                if group.active:
                    self._step(group, loaded)
                elif not group.reading:
                    self._step_back(group)
                    break
                # What a turn took so far counts before others come: a long turn must not become their credit.
                charged = group.charge(charged)
                self._collect()
                if charged - began > _TURN_SECONDS and self._others_wait(group):
                    break
        except KurabeError as error:
            if error.code == "host.no_memory" and self._others_active(group):
                self._step_back(group)
            else:
                self._fail_group(group, error)
        except Exception as error:
            # Whatever it is, it must not end the thread that everyone waits for.
            self._fail_group(group, KurabeError("host.compute", model=group.model, **as_kurabe_error(error).params))
            if isinstance(error, torch.OutOfMemoryError) and self._library is not None:
                self._library.unload()
        finally:
            wait(group.reading)  # the next group may switch the adapter
            group.charge(charged)

    def _activate(self, group: _Group) -> Loaded:
        assert self._library is not None
        busy = {name for name, taken in self._reserved.items() if taken}
        loaded, seconds = self._library.activate(group.model, busy)
        threads = 1 if loaded.small else PROCESSORS
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        for row in group.waiting:
            row.timings.load_seconds = max(row.timings.load_seconds, seconds)
        if seconds:
            self._last = None  # read with weights that may be gone
        return loaded

    def _others_wait(self, group: _Group) -> bool:
        return any(other is not group and other.has_work() for other in self._groups.values())

    def _others_active(self, group: _Group) -> bool:
        return any(other is not group and (other.active or other.reading) for other in self._groups.values())

    def _step_back(self, group: _Group) -> None:
        """Let the others go on first: the memory that this group waits for is theirs."""
        group.served = max(other.served for other in self._groups.values() if other.has_work() or other is group)

    def _drop_cancelled(self, group: _Group) -> None:
        if gone := [row for row in group.active if row.cancelled]:
            self._leave(group, gone)

    def _leave(self, group: _Group, rows: list[Row]) -> None:
        group.active = [row for row in group.active if row not in rows]
        self._release(rows)

    def _release(self, rows: list[Row]) -> None:
        """Take rows' keys and values away; those of one cohort at once."""
        cohorts: dict[Cohort, list[Row]] = {}
        for row in rows:
            if isinstance(row.place, Seat):
                cohorts.setdefault(row.place.cohort, []).append(row)
            else:
                self._reserved[row.weights] -= row.positions * row.position_bytes
        for cohort, gone in cohorts.items():
            freed = cohort.leave([row.place for row in gone if isinstance(row.place, Seat)])
            self._reserved[gone[0].weights] -= freed * gone[0].position_bytes
        for row in rows:
            row.place = None

    def _admit(self, group: _Group, loaded: Loaded) -> None:
        """Read the prompts of waiting rows, as many as fit into the batch, the memory and this pause."""
        tokens = 0
        while group.waiting and tokens < _JOIN_TOKENS and len(group.reading) < PROCESSORS:
            room = MAX_ROWS - len(group.rows)
            if room < min(len(group.waiting), _JOIN_ROWS if group.active else 1):
                return
            together = self._next_together(group, loaded, room)
            if together is None:
                return
            for row in together.rows:
                group.waiting.remove(row)
                row.positions, row.position_bytes = together.capacity, loaded.cache_bytes
            self._reserved[loaded.name] = self._taken(loaded) + together.positions * loaded.cache_bytes
            if loaded.small:
                group.reading[self._readers.submit(self._read_prompts, together, loaded)] = together.rows
            else:
                group.active += together.rows
                self._read_prompts(together, loaded)
                tokens += together.tokens

    def _next_together(self, group: _Group, loaded: Loaded, room: int) -> Together | None:
        """Return the rows that are read next; None where the first one waits for memory or for what another reads."""
        ready = self._ready(group, loaded, room)
        if not ready:
            return None
        idle = PROCESSORS - len(group.reading) if loaded.small else 1
        found = next_together(
            ready if loaded.forward.together else ready[:1],
            self._last,
            lambda positions: self._taken(loaded) + positions * loaded.cache_bytes <= loaded.cache_budget,
            most=max(_JOIN_ROWS, math.ceil(len(ready) / idle)),
        )
        being_read = [row for rows in group.reading.values() for row in rows]
        if found and not found.shared and any(begin_alike(ready[0], row) for row in being_read):
            return None
        return found

    def _ready(self, group: _Group, loaded: Loaded, room: int) -> list[Row]:
        """Return the rows that have waited longest, counted; those that cannot be answered are told so."""
        ready: list[Row] = []
        for row in list(group.waiting):
            if len(ready) == room:
                break
            if row.cancelled:
                group.waiting.remove(row)
                continue
            try:
                self._prepare(row, loaded)
                ready.append(row)
            except KurabeError as error:
                group.waiting.remove(row)
                row.fail(error)
        return ready

    def _taken(self, loaded: Loaded) -> int:
        return self._reserved.get(loaded.name, 0)

    def _gather(self, group: _Group) -> None:
        """Let rows whose prompts have been read take part; where few write, wait for the many that are to join."""
        while 2 * len(group.active) < len(group.rows) - len(group.active):
            wait(group.reading, return_when=FIRST_COMPLETED)
            self._join(group)
        self._join(group)

    @staticmethod
    def _join(group: _Group) -> None:
        """Let rows whose prompts have been read take part."""
        for future in [future for future in group.reading if future.done()]:
            group.active += group.reading.pop(future)
            future.result()

    def _prepare(self, row: Row, loaded: Loaded) -> None:
        """Render and count a row's prompt, once.

        Raises:
            KurabeError: ``host.prompt_too_long``, ``host.output_too_long`` or ``host.messages``.
        """
        if row.prompt:
            return
        prompt = loaded.encode(row.messages, row.thinking)
        prefix = loaded.prefix_length()
        most = min(settings().host_prompt_limit, loaded.context_length - prefix - 1)
        if len(prompt) > most:
            raise KurabeError("host.prompt_too_long", tokens=len(prompt), limit=most, model=row.model)
        limit = settings().host_output_limit
        if (wanted := row.max_tokens or limit) > limit:
            raise KurabeError("host.output_too_long", tokens=wanted, limit=limit)
        row.begin(prompt, min(wanted, loaded.context_length - prefix - len(prompt)))
        row.weights, row.precision = loaded.name, loaded.precision
        row.positions = prefix + len(prompt) + row.limit
        if (need := row.positions * loaded.cache_bytes) > (free := loaded.cache_budget):
            raise KurabeError(
                "host.no_memory", model=loaded.name, need_gb=round(need / 1e9, 2), free_gb=round(free / 1e9, 2)
            )

    def _read_prompts(self, together: Together, loaded: Loaded) -> None:
        began = time.monotonic()
        for row in together.rows:
            row.timings.started_at = began
        with self._meter.measured() as share:
            prompts = [row.prompt for row in together.rows]
            places = loaded.forward.read(prompts, together.capacity, loaded.injector.prefix, together.known())
        for row, place in zip(together.rows, places, strict=True):
            row.place, row.known_tokens = place, together.shared
        self._last = Read.by(together.rows[0])
        lengths = [len(row.prompt) - together.shared for row in together.rows]
        for row, length in zip(together.rows, lengths, strict=True):
            row.timings.device_seconds += share.seconds * length / sum(lengths)

    def _step(self, group: _Group, loaded: Loaded) -> None:
        rows = list(group.active)
        places = [row.place for row in rows if row.place is not None]
        with self._meter.measured() as share:
            logits = loaded.forward.step([row.last_token for row in rows], places)
            tokens = choose(logits, [row.sampling for row in rows])
        now = time.monotonic()
        ended: list[Row] = []
        for row, token in zip(rows, tokens, strict=True):
            row.timings.device_seconds += share.seconds / len(rows)
            row.timings.steps += 1
            row.timings.rows_in_steps += len(rows)
            reason = row.accept(token, loaded.tokenizer, loaded.end_tokens, now)
            if reason is not None:
                row.finish(reason, loaded.tokenizer, loaded.end_tokens)
                ended.append(row)
        if ended:
            self._leave(group, ended)

    def _fail_group(self, group: _Group, error: KurabeError) -> None:
        wait(group.reading)
        rows = group.rows
        self._release(rows)
        for row in rows:
            row.fail(error)
        group.active.clear()
        group.reading.clear()
        while group.waiting:
            group.waiting.popleft().fail(error)

    def _fail_rest(self) -> None:
        self._collect()
        for group in self._groups.values():
            self._fail_group(group, KurabeError("host.stopping"))
