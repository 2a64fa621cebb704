"""Cases of the agent's src/Test/L0/Worker/LoggingCommandL0.cs at 42bde98, and round trips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.agent.job.command_syntax import escape, parse, unescape

# line, whether %AZP25 is decoded, properties, data
CASES = [
    ("##vso[area.event k1=v1;]msg", True, {"k1": "v1"}, "msg"),
    ("##vso[area.event]", True, {}, ""),
    (
        "##vso[area.event k1=%3B=%0D=%0A=%5D%AZP25;]%3B-%0D-%0A-%5D%AZP253B",
        False,
        {"k1": ";=\r=\n=]%AZP25"},
        ";-\r-\n-]%AZP253B",
    ),
    (
        "##vso[area.event k1=%3B=%0D=%0A=%5D%AZP25;]%3B-%0D-%0A-%5D%AZP253B",
        True,
        {"k1": ";=\r=\n=]%"},
        ";-\r-\n-]%3B",
    ),
    ("##vso[area.event k1=;k2=;]", True, {}, ""),
    (">>>   ##vso[area.event k1=v1;]msg", True, {"k1": "v1"}, "msg"),
    # From src/Microsoft.VisualStudio.Services.Agent/Command.cs itself.
    ("##vso[area.event k1=a=b;K2=c]d]e", True, {"k1": "a=b", "k2": "c"}, "d]e"),
    ("##vso[area.event =k1=v1]", True, {"k1": "v1"}, ""),
    ("##vso[area..event]", True, {}, ""),
]


@pytest.mark.parametrize(("line", "percents", "properties", "data"), CASES)
def test_a_command_is_parsed(line, percents, properties, data):
    command = parse(line, decode_percents=percents)
    assert command is not None
    assert (command.area, command.event) == ("area", "event")
    assert command.properties == properties
    assert command.data == data


@pytest.mark.parametrize(
    "line",
    [
        "",
        "msg",
        "##vso[area.event k=v",
        "##vso[area]x",
        "##vso[a.b.c]x",
        "##VSO[a.b]x",
        "##vso area",
    ],
)
def test_other_lines_are_no_commands(line):
    assert parse(line) is None


@given(st.text(), st.booleans())
def test_escaping_round_trips(text, percents):
    if not percents:
        # Without decoding, a percent sign that already looks escaped cannot survive.
        text = text.replace("%", "")
    assert unescape(escape(text, decode_percents=percents), decode_percents=percents) == text


@given(st.text(min_size=1), st.text())
def test_what_is_escaped_is_parsed_back(value, data):
    command = parse(f"##vso[task.x name={escape(value)};]{escape(data)}")
    assert command is not None
    assert command.properties == {"name": value}
    assert command.data == data
