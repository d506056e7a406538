"""Names of persons are masked where they stand, and the sample company's rows are not flooded with findings."""

from __future__ import annotations

import re
import unicodedata

import pytest

from core.datasets.checks.personal_data import kinds_in, masked
from core.datasets.names import person_names
from core.settings import DATA


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("担当の田中太郎までご連絡ください。", "担当の[NAME]までご連絡ください。"),
        ("山本さんと中村様、小川課長です。", "[NAME]さんと[NAME]様、[NAME]課長です。"),
        ("氏名：高橋　一郎（35歳）", "氏名：[NAME]（35歳）"),
        ("ﾀﾅｶ様 taro@corp.co.jp", "[NAME]様 [EMAIL]"),
        ("小林製薬の小林健一に電話", "小林製薬の[NAME]に電話"),
        ("渡辺真理子\n渡辺 真理子", "[NAME]\n[NAME]"),
        ("デザイナー:ポール・酒井", "デザイナー:[NAME]"),
        ("青葉家電の松本城店は石川県です。", "青葉家電の松本城店は石川県です。"),
        ("Call John Smith.", "Call John Smith."),
    ],
)
def test_a_name_is_masked_and_what_is_called_after_a_family_stays(text: str, wanted: str) -> None:
    assert masked(text) == wanted
    assert "name" not in kinds_in(masked(text))


def test_only_the_staff_of_the_sample_company_is_found_and_no_shop_product_or_place() -> None:
    folder = DATA / "samples" / "aoba-ja"
    texts = [line for file in sorted(folder.glob("documents/*.md")) for line in file.read_text("utf-8").splitlines()]
    for file in ("train", "validation", "test"):
        texts += (folder / f"{file}.jsonl").read_text("utf-8").splitlines()[:200]
    named = {}
    for text in texts:
        plain = unicodedata.normalize("NFKC", text.replace("\\n", " "))
        named[text] = [plain[start:end] for start, end in person_names(plain)]
    found = {text: names for text, names in named.items() if names}
    about_staff = re.compile(
        "さん|氏名|email|extension|desk|department|languages|role|deputy|manager|店長|designer|デザイナー"
    )
    assert len(texts) > 500 and found, "the sample has a staff directory"
    assert [names for text, names in found.items() if not about_staff.search(text)] == []
    assert len(found) < 0.1 * len(texts)
