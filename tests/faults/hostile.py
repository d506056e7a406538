"""What a model might write to harm whoever reads it: tags, Markdown, control characters, a line of 100 kB."""

from __future__ import annotations

ELSEWHERE = "http://elsewhere.example"
HARMFUL = (
    "<script>window.harmed = 1</script>"
    f"<img src='{ELSEWHERE}/a.png' onerror='window.harmed = 1'><svg onload='window.harmed = 1'></svg>"
    f"<iframe src='{ELSEWHERE}/frame'></iframe><style>* {{ display: none !important }}</style></div></div></div>"
)
MARKDOWN = (
    f"# Big heading\n![picture]({ELSEWHERE}/b.png) [click](javascript:window.harmed=1) :material/home: :red[red]\n"
    "| a | b |\n|---|---|\n$\\href{javascript:window.harmed=1}{x}$ `` ``` ``\n"
)
CONTROL = "bell\x07 escape\x1b[31m null\x00 backwards\u202eabc\u202c half\ud800 zero\u200bwidth\n"
HOSTILE = f"BEGIN {HARMFUL}\n{MARKDOWN}{CONTROL}{'x' * 100_000}\nEND"
