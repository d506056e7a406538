"""Measures how long the practice model takes to its first token: from the process's start, and once loaded."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PROMPT = (
    "Documents:\n"
    "[1] Zenta 40 (Data sheet)\nThe Zenta 40 weighs 840 grams. It costs $49. It is delivered within 3 days.\n\n"
    "[2] Zenta 60 > Overview\n- Weight: 1.2 kg\n- Price: $69\n- Warranty: 24 months\n\n"
    "[3] Harbour shop\nThe Harbour shop opens at 9:30 am. It is closed on Tuesday. Its manager is Mika Tanaka.\n\n"
    "[4] Silver Care plan\nThe Silver Care plan costs $120. Apply by 14 March 2026.\n\n"
    "Question: How heavy is the Zenta 40?"
)


def measure_once(folder: Path) -> dict[str, float]:
    """In this process: seconds of imports, of loading, of the first and of a later answer's first token."""
    at = [time.monotonic()]
    from transformers import AutoModelForCausalLM, AutoTokenizer

    at.append(time.monotonic())
    model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype="float32")
    tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
    at.append(time.monotonic())
    prompt = [{"role": "user", "content": _PROMPT}]
    later = []
    for _ in range(6):
        begun = time.monotonic()
        ids = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        model.generate(**ids, max_new_tokens=1, do_sample=False)
        later.append(time.monotonic() - begun)
    return {
        "imports": at[1] - at[0],
        "loading": at[2] - at[1],
        "first": later[0],
        "later": statistics.median(later[1:]),
    }


def measure(folder: Path) -> dict[str, float]:
    """The same in a process of its own, with "start": seconds from its start to its first token.

    Raises:
        subprocess.CalledProcessError: The process failed.
    """
    begun = time.monotonic()
    command = [sys.executable, "-m", "core.starter.startup", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    ended = found.pop("at")
    return {"start": ended - begun, **found}


def _main() -> None:
    found = measure_once(Path(sys.argv[1]))
    # the monotonic clock is the machine's, so the parent can subtract its own reading; later answers are taken off
    at = time.monotonic() - 5 * found["later"]
    sys.stdout.write(json.dumps({**found, "at": at}) + "\n")


if __name__ == "__main__":
    _main()
