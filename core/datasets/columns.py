"""Which column means what: names that people use in English and Japanese, and the mapping made by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from core.errors import KurabeError
from core.identity import match_key

__all__ = ["FIELDS", "field_of", "guess_mapping", "header_score", "is_known"]

_NAMES: dict[str, tuple[str, ...]] = {
    "question": (
        "question",
        "questions",
        "query",
        "input question",
        "q",
        "user",
        "質問",
        "質問文",
        "質問内容",
        "問い",
        "問合せ",
        "問い合わせ",
        "お問い合わせ",
        "お問い合わせ内容",
        "問い合わせ内容",
        "設問",
        "ユーザー",
        "入力",
    ),
    "answer": (
        "answer",
        "answers",
        "reference",
        "reference answer",
        "expected answer",
        "ground truth",
        "a",
        "response",
        "reply",
        "回答",
        "回答文",
        "回答内容",
        "答え",
        "正解",
        "模範回答",
        "返答",
        "返信",
        "応答",
        "出力",
    ),
    "rejected": (
        "rejected",
        "rejected answer",
        "worse answer",
        "bad answer",
        "不採用の回答",
        "却下した回答",
        "悪い回答",
        "悪い例",
    ),
    "slice": ("slice", "category", "type", "topic", "カテゴリ", "カテゴリー", "分類", "種別", "区分", "スライス"),
    "id": ("id", "no", "no.", "number", "key", "番号", "通番", "管理番号", "質問id"),
    "value": ("value", "exact value", "値", "正解値"),
    "gold_document": (
        "document",
        "documents",
        "gold document",
        "gold document id",
        "gold document ids",
        "gold_document_ids",
        "source",
        "source document",
        "参照文書",
        "参照資料",
        "参照元",
        "文書",
        "出典",
        "根拠文書",
        "資料",
    ),
    "gold_quote": ("quote", "passage", "evidence", "gold quote", "引用", "引用文", "根拠", "該当箇所"),
    "split": ("split", "subset", "分割", "用途"),
    "group": ("group", "group id", "グループ", "組"),
    "system": ("system", "system prompt", "システム", "システムプロンプト"),
}
FIELDS = tuple(_NAMES)
"""Fields that a column can be mapped to."""

_BY_NAME = {match_key(name): field for field, names in _NAMES.items() for name in names}


_REMARK = re.compile(r"[(（\[［<＜〈【][^()（）]*[)）\]］>＞〉】]$")
_MARKS = "　 *＊:：※■●◆◎○□【】「」『』<>＜＞[]［］"


def _plain(name: str) -> str:
    """Fold a column's name: forms mark what to fill in (【質問】, 回答（必須）, ※分類) and break its lines."""
    plain = name.replace("_", " ").replace("-", " ").strip(_MARKS)
    return match_key(_REMARK.sub("", plain).strip(_MARKS) or plain)


def field_of(column: str) -> str | None:
    """Return the field that a column's name usually means, if any."""
    plain = _plain(column)
    return _BY_NAME.get(plain) or _BY_NAME.get(match_key(column)) or _BY_NAME.get(plain.replace(" ", ""))


def is_known(column: str) -> bool:
    """Tell whether a column's name is one that Kurabe recognises in any shape."""
    return field_of(column) is not None or _plain(column) in _OTHER_SHAPES


_OTHER_SHAPES = frozenset(
    {
        "prompt",
        "completion",
        "instruction",
        "input",
        "output",
        "messages",
        "conversations",
        "chosen",
        "label",
        "context",
    }
)


def header_score(cells: Sequence[str]) -> int:
    """Count the cells of a row that read like column names; 2 or more make it a header."""
    return sum(1 for cell in cells if cell and len(cell) < 60 and is_known(cell))


def guess_mapping(columns: Iterable[str]) -> dict[str, str]:
    """Return field → column for the names that are recognised; the first column of a meaning wins."""
    mapping: dict[str, str] = {}
    for column in columns:
        field = field_of(column)
        if field is not None and field not in mapping:
            mapping[field] = column
    return mapping


def checked_mapping(mapping: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Return a mapping made by hand, once its fields and columns are found to exist.

    Raises:
        KurabeError: ``datasets.unknown_field`` or ``datasets.unknown_column`` with what there is.
    """
    for field, column in mapping.items():
        if field not in FIELDS:
            raise KurabeError("datasets.unknown_field", field=field, known=", ".join(FIELDS))
        if column not in columns:
            raise KurabeError("datasets.unknown_column", column=column, known=", ".join(columns))
    if "question" not in mapping:
        raise KurabeError("datasets.question_unmapped", columns=", ".join(columns))
    return dict(mapping)
