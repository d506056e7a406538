"""A base model's chat template and tokenizer: render, encode, count, mask and preview."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import jinja2
from tokenizers import Encoding, Tokenizer
from tokenizers.decoders import DecodeStream

from core.errors import KurabeError
from core.identity import content_hash, file_hash
from core.prompting._environment import compile_template, split_marks
from core.prompting.masking import IGNORED, TrainingRow, joined, masked
from core.prompting.messages import Message

__all__ = ["ChatTemplate"]

_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token")
_PROBE = "kurabe-probe"


class ChatTemplate:
    """How one base model wants its chats; build it with `load`."""

    def __init__(self, tokenizer: Tokenizer, source: str, special: dict[str, str], tokenizer_hash: str) -> None:
        """Compile the template.

        Raises:
            KurabeError: ``prompting.bad_template``.
        """
        self.tokenizer = tokenizer
        """The tokenizer of `tokenizers`; no padding, no truncation."""
        self.source = source
        """The template's text."""
        self.special = special
        """Special tokens by name: ``{"eos_token": "<|im_end|>", …}``."""
        self.hash = content_hash({"template": source, "special": special, "tokenizer": tokenizer_hash})
        """Hash of template and tokenizer: equal hashes give equal tokens."""
        self._template, self._marks = compile_template(source)

    @classmethod
    def load(cls, folder: Path) -> ChatTemplate:
        """Return the template of a model's folder; read once as long as its files do not change.

        Raises:
            KurabeError: ``prompting.no_tokenizer``, ``prompting.no_template``, ``prompting.bad_template``.
        """
        files = [folder / name for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")]
        stamps = tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)
        return _loaded(folder.resolve(), stamps)

    def render(
        self, messages: Sequence[Message], add_generation_prompt: bool = True, *, thinking: bool | None = False
    ) -> str:
        """Return the chat as the text that the model reads.

        Args:
            messages: the chat so far.
            add_generation_prompt: end with the opening of the assistant's turn.
            thinking: for models that can think first: whether they shall; None leaves the template's default.

        Raises:
            KurabeError: ``prompting.template_refused``, for example because the template knows no system role.
        """
        return self._render(messages, add_generation_prompt, thinking)[0]

    def encode(
        self, messages: Sequence[Message], add_generation_prompt: bool = True, *, thinking: bool | None = False
    ) -> list[int]:
        """Return the token ids of `render`; the template itself writes what opens a chat."""
        return self.encode_text(self.render(messages, add_generation_prompt, thinking=thinking))

    def encode_text(self, text: str) -> list[int]:
        """Return the token ids of a text, nothing added."""
        return list(self._encoding(text).ids)

    def decode(self, ids: Sequence[int], *, skip_special: bool = True) -> str:
        """Return the text of token ids."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=skip_special))

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the prompt has, the opening of the answer included."""
        return len(self.encode(messages))

    def count_text(self, text: str) -> int:
        """Return how many tokens a text has."""
        return len(self._encoding(text).ids)

    def training_row(
        self, messages: Sequence[Message], train_on: Literal["completion", "assistant"] = "completion"
    ) -> TrainingRow:
        """Return the chat as a row to train on.

        Args:
            messages: a chat that ends with the assistant's answer.
            train_on: ``completion`` learns the last answer and its end mark; ``assistant`` every answer.

        Raises:
            KurabeError: ``prompting.no_answer``, ``prompting.nothing_trained``, ``prompting.no_markers``.
        """
        if not messages or messages[-1]["role"] != "assistant":
            raise KurabeError("prompting.no_answer", role=messages[-1]["role"] if messages else "-")
        row = self._completion_row(messages) if train_on == "completion" else self._assistant_row(messages)
        if not row.trained:
            raise KurabeError("prompting.nothing_trained", tokens=len(row))
        return row

    def preview(
        self, messages: Sequence[Message], train_on: Literal["completion", "assistant"] = "completion"
    ) -> list[tuple[str, bool]]:
        """Return the row's pieces of text and whether each is learned: exactly what the trainer receives.

        Tokens that only together make a character come as one piece.
        """
        return self.pieces(self.training_row(messages, train_on))

    def pieces(self, row: TrainingRow) -> list[tuple[str, bool]]:
        """Return a row's pieces of text and whether each is learned, as `preview` does."""
        pieces: list[tuple[str, bool]] = []
        stream = DecodeStream(skip_special_tokens=False)
        for token, label in zip(row.input_ids, row.labels, strict=True):
            text = stream.step(self.tokenizer, token)
            if text:
                pieces.append((text, label != IGNORED))
        return pieces

    @cached_property
    def end_of_turn(self) -> str:
        """What the template writes after an answer, for example ``<|im_end|>``."""
        opening: list[Message] = [{"role": "user", "content": "?"}]
        text = self.render([*opening, {"role": "assistant", "content": _PROBE}], add_generation_prompt=False)
        return text.rpartition(_PROBE)[2]

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """Ids of the tokens that end an answer: the end-of-text token and the first token of `end_of_turn`."""
        found = [self.tokenizer.token_to_id(self.special["eos_token"])] if "eos_token" in self.special else []
        found += self.encode_text(self.end_of_turn.strip())[:1]
        return tuple(dict.fromkeys(token for token in found if token is not None))

    def _encoding(self, text: str) -> Encoding:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _render(
        self, messages: Sequence[Message], add_generation_prompt: bool, thinking: bool | None
    ) -> tuple[str, list[tuple[int, int]]]:
        options: dict[str, Any] = {} if thinking is None else {"enable_thinking": thinking}
        try:
            text = self._template.render(
                messages=list(messages),
                add_generation_prompt=add_generation_prompt,
                tools=None,
                documents=None,
                **self.special,
                **options,
            )
        except (jinja2.TemplateError, TypeError) as error:
            raise KurabeError("prompting.template_refused", detail=str(error)) from error
        return split_marks(text, self._marks)

    def _completion_row(self, messages: Sequence[Message]) -> TrainingRow:
        """Read exactly the prompt that is sent when answering, then learn the answer and the end of the turn.

        The prompt is encoded alone, as it is when the model answers: a token never spans the border.
        """
        prompt = self.render(messages[:-1])
        whole = self.render(messages, add_generation_prompt=False)
        # Some templates rewrite the last turn (thinking blocks); then the answer follows the prompt that is sent.
        rest = whole[len(prompt) :] if whole.startswith(prompt) else messages[-1]["content"] + self.end_of_turn
        return joined(self.encode_text(prompt), self.encode_text(rest.rstrip("\n")))

    def _assistant_row(self, messages: Sequence[Message]) -> TrainingRow:
        text, spans = self._render(messages, False, False)
        if not spans:
            spans = self._spans_by_prefix(messages, text)
        return masked(self._encoding(text), spans)

    def _spans_by_prefix(self, messages: Sequence[Message], text: str) -> list[tuple[int, int]]:
        """Find the answers of a template without generation marks: each begins where its prompt ends."""
        spans = []
        for position, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            before = self.render(messages[:position])
            upto = self.render(messages[: position + 1], add_generation_prompt=False)
            if not (text.startswith(before) and text.startswith(upto)):
                raise KurabeError("prompting.no_markers")
            spans.append((len(before), len(upto.rstrip("\n"))))
        return spans


@lru_cache(maxsize=16)
def _loaded(folder: Path, stamps: tuple[int, ...]) -> ChatTemplate:
    path = folder / "tokenizer.json"
    if not path.exists():
        raise KurabeError("prompting.no_tokenizer", folder=folder.name)
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    config = _json(folder / "tokenizer_config.json")
    return ChatTemplate(tokenizer, _source(folder, config), _special_tokens(folder, config), file_hash(path))


def _json(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return value if isinstance(value, dict) else {}


def _source(folder: Path, config: dict[str, Any]) -> str:
    """Find the template where transformers does: its own file first, then the tokenizer's configuration."""
    own = folder / "chat_template.jinja"
    if own.exists():
        return own.read_text(encoding="utf-8")
    found = config.get("chat_template") or _json(folder / "chat_template.json").get("chat_template")
    if isinstance(found, list):
        named = {entry.get("name"): entry.get("template") for entry in found}
        found = named.get("default")
    if not isinstance(found, str):
        raise KurabeError("prompting.no_template", folder=folder.name)
    return found


def _special_tokens(folder: Path, config: dict[str, Any]) -> dict[str, str]:
    named = {**_json(folder / "special_tokens_map.json"), **config}
    special = {}
    for name in _SPECIAL:
        value = named.get(name)
        if isinstance(value, dict):
            value = value.get("content")
        if isinstance(value, str):
            special[name] = value
    return special
