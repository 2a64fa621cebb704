"""The names of releases, by the format of their definition.

learn.microsoft.com/azure/devops/pipelines/release/#how-do-i-configure-release-number-formats
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping

_TOKEN = re.compile(r"\$\(([^)]+)\)")
_DATE = re.compile(r"yyyy|yy|MM|M|dd|d|HH|H|mm|m|ss|s")
_DATES: dict[str, str] = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H"} | {
    "mm": "%M",
    "ss": "%S",
}


def release_name(
    form: str,
    *,
    variables: Mapping[str, str],
    now: datetime.datetime,
    revision: Callable[[str], int],
) -> str:
    """The name that a format gives.

    `variables`: by lower-case name. `revision`: the next number for a name whose rest is the
    given text. `$(rev:rr)` has as many digits as it has letters r; unknown tokens stay.
    """

    def replaced(found: re.Match[str]) -> str:
        kind, _, form = found[1].partition(":")
        if kind.lower() == "date":
            return _DATE.sub(lambda part: _date(part[0], now), form or "yyyyMMdd")
        return variables.get(found[1].lower(), found[0])

    def is_revision(found: re.Match[str]) -> bool:
        return found[1].lower().startswith("rev:")

    text = _TOKEN.sub(lambda one: one[0] if is_revision(one) else replaced(one), form)
    for found in _TOKEN.finditer(text):
        if is_revision(found):
            number = revision(text)
            digits = len(found[1]) - len("rev:")
            return text[: found.start()] + f"{number:0{digits}}" + text[found.end() :]
    return text


def _date(part: str, now: datetime.datetime) -> str:
    if part in _DATES:
        return now.strftime(_DATES[part])
    numbers = {"M": now.month, "d": now.day, "H": now.hour, "m": now.minute, "s": now.second}
    return str(numbers[part])
