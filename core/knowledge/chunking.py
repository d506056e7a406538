"""Cut documents into passages: at headings first, then at paragraphs, items and table rows, sentences last.

A passage keeps the title "document > heading"; a table row keeps its header; nothing is cut inside a sentence
unless one sentence alone is longer than a passage may be. A table row stays whole; one that is longer than a passage is
cut between cells, and the passage says so. Passages of one section overlap by whole sentences if that is asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from core.errors import KurabeError
from core.knowledge.tokens import TokenCounter

__all__ = ["Chunk", "ChunkConfig", "chunk_document"]

_HEADING = re.compile(r"^(#{1,6})\s+(.*\S)\s*$")
_SENTENCE = re.compile(r"(?<=[。！？!?])(?=\S)|(?<=[.!?][\s\"”])(?=\S)|(?<=[.!?])\s+(?=\S)")
_RULE = re.compile(r"^(?=.*\|)(?=.*-)[\s:|\-]+$")
_ITEM = re.compile(r"^\s*(?:[-*+・•]|\d+[.)．）])\s*\S")
_BORDER = re.compile(r"(?<!\\)\|")
_RECORD_TOKENS = 20
"""A row of a wide table with fewer tokens is too little for a passage of its own."""


@dataclass(frozen=True, slots=True)
class ChunkConfig:
    """How long passages are."""

    min_tokens: int = 60
    """Shorter sections are joined with the next one."""
    max_tokens: int = 200
    """Longer sections are divided."""
    overlap_tokens: int = 0
    """Most tokens of whole sentences that a passage repeats from the one before in the same section."""

    def __post_init__(self) -> None:
        """Refuse an overlap that would leave too little room for anything new.

        Raises:
            KurabeError: ``knowledge.overlap_range``.
        """
        if not 0 <= self.overlap_tokens <= self.max_tokens // 2:
            raise KurabeError("knowledge.overlap_range", overlap=self.overlap_tokens, limit=self.max_tokens // 2)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage."""

    id: str
    """Stable: the same place and words of the same document give the same id."""
    position: int
    """Order in the document, from 0."""
    title: str
    """The document's title."""
    heading: str
    """Path of headings below it, joined with " > "; may be empty."""
    text: str
    """What the model reads."""
    tokens: int
    """Its length by the index's tokenizer."""
    offset: int
    """Character at which it begins in the document's text; what it repeats of the passage before is not counted."""
    note: str = ""
    """``row_cut``: part of a table row that is longer than a passage; ``cell_cut``: part of one cell of it."""

    @property
    def full_title(self) -> str:
        """Title and heading as the prompt shows them: ``document title > heading``."""
        return f"{self.title} > {self.heading}" if self.heading else self.title


@dataclass(slots=True)
class _Unit:
    """The smallest piece that stays whole: a paragraph, an item, a table row."""

    text: str
    offset: int
    tokens: int = 0
    header: str = ""
    note: str = ""


@dataclass(slots=True)
class _Section:
    """Units under one heading."""

    path: tuple[str, ...]
    units: list[_Unit] = field(default_factory=list)
    record: bool = False
    """True for one row of a wide table: it is a passage of its own."""

    @property
    def tokens(self) -> int:
        """Tokens of all units."""
        return sum(unit.tokens for unit in self.units)


def chunk_document(
    document_id: str, title: str, text: str, counter: TokenCounter, config: ChunkConfig | None = None
) -> list[Chunk]:
    """Return a document's passages in their order.

    Args:
        document_id: Goes into the ids.
        title: The document's title.
        text: Its text with Markdown headings and tables.
        counter: Measures length.
        config: How long passages are.
    """
    config = config or ChunkConfig()
    sections = [_measured(section, counter, config) for section in _records(_sections(text, title))]
    chunks: list[Chunk] = []
    seen: dict[str, int] = {}
    for group in _groups(sections, config):
        for body in _bodies(group, config, counter):
            chunks.append(_chunk(document_id, title, body, counter, seen, len(chunks)))
    return chunks


@dataclass(frozen=True, slots=True)
class _Body:
    """What becomes one passage."""

    path: tuple[str, ...]
    text: str
    offset: int
    note: str = ""


def _chunk(
    document_id: str, title: str, made: _Body, counter: TokenCounter, seen: dict[str, int], position: int
) -> Chunk:
    heading, body = " > ".join(made.path), made.text
    digest = hashlib.sha256(f"{document_id}\n{heading}\n{body}".encode()).hexdigest()[:24]
    seen[digest] = seen.get(digest, 0) + 1
    name = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return Chunk(name, position, title, heading, body, counter.count(body), made.offset, made.note)


def _sections(text: str, title: str) -> list[_Section]:
    """Divide a text at its headings; the document's own title is no part of a path."""
    stack: list[tuple[int, str]] = []
    sections = [_Section(())]
    code = False
    offset = 0
    block: list[str] = []
    start = 0
    for line in [*text.split("\n"), ""]:
        fence = line.lstrip().startswith(("```", "~~~"))
        heading = None if code or fence else _HEADING.match(line)
        code ^= fence
        if heading or (not line.strip() and not code):
            sections[-1].units += _units(block, start)
            block = []
        if heading:
            level, words = len(heading[1]), heading[2].strip("* ")
            stack = [item for item in stack if item[0] < level]
            stack.append((level, words))
            names = tuple(name for _, name in stack)
            sections.append(_Section(names[1:] if names and names[0] == title else names))
        elif line.strip() or code:
            start = start if block else offset
            block.append(line)
        offset += len(line) + 1
    sections[-1].units += _units(block, start)
    return [section for section in sections if section.units]


def _units(block: Sequence[str], start: int) -> list[_Unit]:
    """Divide a block of lines: table rows (with their header) and items alone, other lines together."""
    units: list[_Unit] = []
    lines: list[str] = []  # those before the next table
    place, offset, began = 0, start, start
    code = bool(block) and block[0].lstrip().startswith(("```", "~~~"))
    while place < len(block):
        end = place if code else _table_end(block, place)
        if end > place:
            units += [*_line_units(lines, began), *_table_units(block[place:end], offset)]
            lines = []
        else:
            began = began if lines else offset
            lines.append(block[place])
            end = place + 1
        offset += sum(len(line) + 1 for line in block[place:end])
        place = end
    return [*units, *_line_units(lines, began)]


def _table_end(block: Sequence[str], place: int) -> int:
    """Return where the table ends that begins at a line, or the line itself if none does.

    Its rows begin with a bar; or bars stand between its cells only, and a rule follows its first row.
    """
    following = block[place + 1].strip() if place + 1 < len(block) else ""
    if block[place].lstrip().startswith("|") and following.startswith("|"):
        rows = (line.lstrip().startswith("|") for line in block[place:])
    elif "|" in block[place] and _RULE.match(following):
        rows = ("|" in line for line in block[place:])
    else:
        return place
    return place + next((number for number, row in enumerate(rows) if not row), len(block) - place)


def _line_units(block: Sequence[str], start: int) -> list[_Unit]:
    units: list[_Unit] = []
    offset = start
    for line in block:
        alone = _ITEM.match(line) or (": " in line[:60]) or ("：" in line[:40])
        if units and not alone and not _ITEM.match(units[-1].text):
            units[-1].text += "\n" + line
        else:
            units.append(_Unit(line, offset))
        offset += len(line) + 1
    return units


def _table_units(block: Sequence[str], start: int) -> list[_Unit]:
    ruled = len(block) > 1 and bool(_RULE.match(block[1].strip()))
    header = block[0] if ruled else ""
    units: list[_Unit] = []
    offset = start
    for index, line in enumerate(block):
        if not (ruled and index < 2):
            units.append(_Unit(line, offset, header=header))
        offset += len(line) + 1
    return units or [_Unit(block[0], start)]


def _records(sections: Sequence[_Section]) -> Iterator[_Section]:
    """Turn a document that is one wide table into one section a row: "Header: value" lines under the row's name."""
    tables = all(unit.header for section in sections for unit in section.units)
    if len(sections) != 1 or not tables or len(_cells(sections[0].units[0].header)) < 3:
        yield from sections
        return
    for unit in sections[0].units:
        names, cells = _cells(unit.header), _cells(unit.text)
        lines = [f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell]
        label = next((cell for cell in cells if cell), "")
        cut = [_Unit(line, unit.offset) for line in lines]
        yield _Section((*sections[0].path, label[:80]), cut, record=True)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in _BORDER.split(row.strip().strip("|"))]


def _measured(section: _Section, counter: TokenCounter, config: ChunkConfig) -> _Section:
    """Count every unit; divide those that are longer than a passage at sentences, and at worst anywhere."""
    units: list[_Unit] = []
    for unit in section.units:
        unit.tokens = counter.count(unit.text)
        if unit.tokens <= config.max_tokens:
            units.append(unit)
            continue
        rows = bool(unit.header) or section.record  # these do not overlap, so nothing needs room
        units += _divided(unit, counter, config.max_tokens - (0 if rows else config.overlap_tokens))
    section.units = units
    if section.record and section.tokens > config.max_tokens:
        for unit in units:
            unit.note = unit.note or "row_cut"
    return section


def _divided(unit: _Unit, counter: TokenCounter, limit: int) -> list[_Unit]:
    """Divide a table row between its cells, each part under the names of its columns; other words at sentences."""
    names, cells = _cells(unit.header), _cells(unit.text)
    if not unit.header or len(cells) < 2:
        return _divided_words(unit, counter, limit)
    names += [""] * (len(cells) - len(names))
    parts: list[_Unit] = []
    first = 0
    for last in range(1, len(cells) + 1):
        if last < len(cells) and counter.count(_row(cells[first : last + 1])) <= limit:
            continue
        text = _row(cells[first:last])
        part = _Unit(text, unit.offset, counter.count(text), _row(names[first:last]), "row_cut")
        parts += [part] if part.tokens <= limit else _divided_words(replace(part, text=cells[first]), counter, limit)
        first = last
    return parts


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _divided_words(unit: _Unit, counter: TokenCounter, limit: int) -> list[_Unit]:
    note = "cell_cut" if unit.header else ""
    pieces: list[_Unit] = []
    for offset, sentence in _sentences(unit.text, counter, limit):
        tokens = counter.count(sentence)
        if pieces and pieces[-1].tokens + tokens <= limit:
            between = "" if pieces[-1].text.endswith(("。", "！", "？", "\n")) or ord(sentence[0]) >= 0x2E80 else " "
            pieces[-1].text += between + sentence
            pieces[-1].tokens += tokens
        else:
            pieces.append(_Unit(sentence, unit.offset + offset, tokens, unit.header, note))
    return pieces


def _sentences(text: str, counter: TokenCounter, limit: int) -> Iterator[tuple[int, str]]:
    """Yield sentences with their places; one that is longer than the limit is cut by characters."""
    offset = 0
    for sentence in _SENTENCE.split(text):
        offset = text.find(sentence, offset)
        tokens = counter.count(sentence)  # once: a text without a full stop is one sentence of millions of characters
        step = max(20, len(sentence) * limit // tokens) if tokens > limit else max(1, len(sentence))
        for start in range(0, len(sentence), step):
            piece = sentence[start : start + step]
            if piece.strip():
                yield offset + start, piece.strip()
        offset += len(sentence)


def _groups(sections: Sequence[_Section], config: ChunkConfig) -> Iterator[list[_Section]]:
    """Join short neighbouring sections until they are worth a passage; rows of wide tables stay alone if they can."""
    group: list[_Section] = []
    total = 0
    for section in sections:
        least = _RECORD_TOKENS if section.record else config.min_tokens
        if group and (total >= least or total + section.tokens > config.max_tokens):
            yield group
            group, total = [], 0
        group.append(section)
        total += section.tokens
    if group:
        yield group


def _bodies(group: Sequence[_Section], config: ChunkConfig, counter: TokenCounter) -> Iterator[_Body]:
    """Yield what becomes the passages of a group."""
    if len(group) == 1:
        yield from _overlapping(group[0], config, counter)
        return
    common = _common([section.path for section in group])
    parts = []
    for section in group:
        rest = section.path[len(common) :]
        lead = f"## {' > '.join(rest)}\n" if rest and not section.record else ""
        parts.append(lead + _joined(section.units))
    yield _Body(common, "\n".join(parts), group[0].units[0].offset)


def _overlapping(section: _Section, config: ChunkConfig, counter: TokenCounter) -> Iterator[_Body]:
    """Divide one section; every part but the first begins with the last sentences of the part before."""
    divided = section.tokens > config.max_tokens and not section.record
    overlap = config.overlap_tokens if divided else 0
    before: list[_Unit] = []
    for units in _packed(section.units, config.max_tokens - overlap):
        room = min(overlap, config.max_tokens - sum(unit.tokens for unit in units))
        lead = _tail(before, room, counter) if before and not units[0].header else []
        note = next((unit.note for unit in units if unit.note), "")
        yield _Body(section.path, "\n".join([*lead, _joined(units)]), units[0].offset, note)
        before = units


def _tail(units: Sequence[_Unit], room: int, counter: TokenCounter) -> list[str]:
    """Return the last sentences of a passage that fit; rows of tables are not repeated."""
    lines: list[str] = []
    for unit in reversed(units):
        if unit.header or room <= 0:
            break
        starts = [0, *(match.end() for match in _SENTENCE.finditer(unit.text))]
        tails = (unit.text[start:] for start in starts)  # the longest first
        kept = next((tail for tail in tails if counter.count(tail) <= room), "").strip()
        if not kept:
            break
        lines.insert(0, kept)
        room -= counter.count(kept)
        if len(kept) < len(unit.text.strip()):
            break
    return lines


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    shared = paths[0]
    for path in paths[1:]:
        length = next(
            (i for i, (a, b) in enumerate(zip(shared, path, strict=False)) if a != b), min(len(shared), len(path))
        )
        shared = shared[:length]
    return shared


def _packed(units: Sequence[_Unit], limit: int) -> Iterator[list[_Unit]]:
    """Divide units into as few passages as fit, of about the same length."""
    total = sum(unit.tokens for unit in units)
    share = total / -(-total // limit) if total else limit
    pack: list[_Unit] = []
    size = 0
    for unit in units:
        if pack and (size + unit.tokens > limit or size + unit.tokens / 2 > share):
            yield pack
            pack, size = [], 0
        pack.append(unit)
        size += unit.tokens
    if pack:
        yield pack


def _joined(units: Sequence[_Unit]) -> str:
    """Join units by lines; a table's header stands above the first of its rows."""
    lines: list[str] = []
    header = ""
    for unit in units:
        if unit.header and unit.header != header:
            bar = "|" if unit.header.lstrip().startswith("|") else ""
            rule = " | ".join(["---"] * len(_cells(unit.header)))
            lines += [unit.header, f"{bar} {rule} {bar}".strip()]
        header = unit.header
        lines.append(unit.text)
    return "\n".join(lines)
