"""Japanese wordings of every attribute of the worlds."""

from __future__ import annotations

from core.starter.world._ja_places import BRANCHES, PEOPLE
from core.starter.world._ja_plans import PLANS, PROCEDURES
from core.starter.world._ja_products import PRODUCTS
from core.starter.world._ja_specifications import SPECIFICATIONS
from core.starter.world.attributes import Wording

WORDINGS: dict[str, Wording] = {
    **PRODUCTS,
    **SPECIFICATIONS,
    **BRANCHES,
    **PEOPLE,
    **PLANS,
    **PROCEDURES,
}
