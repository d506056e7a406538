"""Other ways to ask a Japanese question: indirect, casual, more polite."""

from __future__ import annotations

import re
from zlib import crc32

from core.starter.world.tones_ja import dictionary_form, past_form

_VERB = re.compile(r"([^\s。、「」{}]+?)(ます|ました)か\?$")
_NOUN_ENDINGS = ("でしょうか?", "なのか教えてください。", "なのか知りたいです。", "なの?", "なのでしょうか?")
_PLAIN_ENDINGS = ("か教えてください。", "のか知りたいです。", "の?", "のでしょうか?", "か教えて。")
_LEAVE = ("もらえますか?", "いただけますか?", "のですか?", "んですか?")


def asked_otherwise(question: str) -> str | None:
    """The question in another form, always the same one; None where the rules do not fit.

    「{p}はいくらですか?」 → 「{p}はいくらなのか教えてください。」,
    「{p}は何時に開きますか?」 → 「{p}は何時に開くのか知りたいです。」.
    """
    if "。" in question or "?" in question[:-1] or question.endswith(_LEAVE):
        return None
    choice = crc32(question.encode())
    if question.endswith("ですか?"):
        body = question.removesuffix("ですか?")
        # よい, 高い … are adjectives; くらい is a noun.
        adjective = body.endswith("い") and not body.endswith(("くらい", "ぐらい"))
        endings = ("でしょうか?", *_PLAIN_ENDINGS) if adjective else _NOUN_ENDINGS
        return body + endings[choice % len(endings)]
    found = _VERB.search(question)
    if not found:
        return None
    form = dictionary_form if found.group(2) == "ます" else past_form
    return question[: found.start()] + form(found.group(1)) + _PLAIN_ENDINGS[choice % len(_PLAIN_ENDINGS)]
