"""The sandbox in which chat templates are rendered, as transformers sets it up, without importing torch."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import jinja2
import jinja2.ext
from jinja2 import nodes
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import KurabeError
from core.identity import now


class Generation(jinja2.ext.Extension):
    """The tag pair ``{% generation %}…{% endgeneration %}`` that marks what the model is trained to write.

    What lies inside is wrapped in two marks nobody can guess; `split_marks` takes them out again. So it works
    wherever the tag stands, also inside macros and captured blocks.
    """

    tags = {"generation"}

    def __init__(self, environment: jinja2.Environment) -> None:
        """Draw the marks of this environment."""
        super().__init__(environment)
        token = secrets.token_hex(8)
        self.start, self.end = f"\x00{token}(\x00", f"\x00{token})\x00"

    def parse(self, parser: Parser) -> nodes.Node:
        """Turn the tag pair into a call of `_mark`."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

    def _mark(self, caller: Callable[[], str]) -> str:
        return f"{self.start}{caller()}{self.end}"


def split_marks(text: str, extension: Generation) -> tuple[str, list[tuple[int, int]]]:
    """Return `text` without marks and the character spans ``[start, end)`` that they enclosed."""
    plain: list[str] = []
    spans: list[tuple[int, int]] = []
    length = 0
    for position, piece in enumerate(text.split(extension.start)):
        inside, found, outside = piece.partition(extension.end)
        if position and found:
            spans.append((length, length + len(inside)))
        plain += [inside, outside]
        length += len(inside) + len(outside)
    return "".join(plain), spans


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    # Jinja's own filter escapes HTML characters, which models were not trained on.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def _refuse(message: str) -> None:
    raise KurabeError("prompting.template_refused", detail=message)


def compile_template(source: str) -> tuple[jinja2.Template, Generation]:
    """Compile a chat template in a sandbox.

    Raises:
        KurabeError: ``prompting.bad_template``.
    """
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda pattern: now().strftime(pattern)
    try:
        template = environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise KurabeError("prompting.bad_template", detail=f"line {error.lineno}: {error.message}") from error
    extension = next(e for e in environment.extensions.values() if isinstance(e, Generation))
    return template, extension
