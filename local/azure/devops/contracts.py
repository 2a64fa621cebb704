"""What a route takes and gives, read from the annotations of its handler.

    @area.on("GET", BUILDS, "project")
    def list_builds(cloud: Cloud, request: Request, query: BuildQuery) -> Page[Build]: ...

A handler declares the query parameters it knows by a TypedDict named `query`, the members of the
body by one named `body` (`bytes`: the body as it is), and its answer by what it returns. What is
not declared is answered 501 with its name, never ignored. An enumeration is a word in our code and
on the wire a word or its number, in both directions; clients ask for numbers, and for dates in
Microsoft's old form, in the Accept header (microsoft/azure-devops-extension-api,
src/Common/RestClientBase.ts).
"""

from __future__ import annotations

import datetime
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, TypeVar

from local.azure.devops.errors import invalid, missing, unsupported
from local.azure.devops.secrets import hidden
from local.azure.kernel.http import Request, Response, json_response

T = TypeVar("T")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MS_DATE = re.compile(rb'"/Date\((-?\d+)\)/"')
_VERSION = "api-version"
_UNIONS = (typing.Union, types.UnionType)
_WRITING = ("POST", "PUT", "PATCH")


class Words:
    """An enumeration of the service by its words and their numbers."""

    def __init__(self, **numbers: int) -> None:
        """`numbers`: as in the interfaces of microsoft/azure-devops-node-api."""
        self.numbers = numbers
        self._by_text = {word.lower(): word for word in numbers}
        self._by_text |= {str(number): word for word, number in numbers.items()}

    def __iter__(self) -> typing.Iterator[str]:
        """The words."""
        return iter(self.numbers)

    def word(self, given: object, place: str) -> str:
        """The word for a word in any case, or for a number. Raises ServiceError 400."""
        found = self._by_text.get(str(given).lower())
        if found is None or isinstance(given, bool):
            raise invalid(f"The value '{given}' is not valid for {place}.")
        return found

    def words(self, given: str, place: str) -> list[str]:
        """The words of a filter; a number may be the sum of several. Raises ServiceError 400."""
        if given.lower() in self._by_text or not given.isdecimal():
            return [self.word(given, place)]
        total = int(given)
        single = [word for word, number in self.numbers.items() if number.bit_count() == 1]
        found = [word for word in single if self.numbers[word] & total]
        # Newer clients know more words, so that their "all" is a greater sum.
        if found != single and sum(self.numbers[word] for word in found) != total:
            raise invalid(f"The value '{given}' is not valid for {place}.")
        return found


class _Mark:
    """A property of a type that `Annotated` carries."""


DATE, READ_ONLY = _Mark(), _Mark()
Date = Annotated[str, DATE]
ReadOnly = Annotated[Any, READ_ONLY]
"""A member that the service sets: clients send it back as they read it, and it changes nothing."""
Unread = Any
"""A value that is kept and given back as it was sent."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """Part of a list, with the token that the next part is asked for by."""

    values: list[T]
    token: str = ""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A handler with the types of its query, body and answer; None: it takes none."""

    handler: Callable[..., Any]
    takes_request: bool
    query: Any
    body: Any
    answer: Any

    def call(self, cloud: object, request: Request) -> Any:
        """The handler's answer to a request.

        Raises:
            ServiceError: 501 for what the handler does not declare, 400 for what has a wrong form.
        """
        given: dict[str, Any] = {}
        query = read_query(request.query, self.query)
        if self.query is not None:
            given["query"] = query
        if self.body is bytes:
            given["body"] = request.body
        elif self.body is not None:
            given["body"] = read(_required(request), self.body, "")
        elif request.method in _WRITING and request.json() not in (None, {}, ""):
            raise unsupported("The local Azure reads no body here.")
        if self.takes_request:
            given["request"] = request
        return self.handler(cloud, **given)

    def answered(self, request: Request, value: Any, status: int | None) -> Response:
        """The answer on the wire, without secrets, in the form that the client accepts."""
        if isinstance(value, Response):
            return value
        if value is None and self.answer is None:
            return Response(status=status or 204)
        accepted = request.headers.get("accept", "").replace(" ", "").lower()
        form = Form(
            numbers="enumsasnumbers=true" in accepted, ms_dates="msdateformat=true" in accepted
        )
        headers = {}
        kind = self.answer
        if isinstance(value, Page):
            headers = {"x-ms-continuationtoken": value.token} if value.token else {}
            kind, value = list[typing.get_args(kind)[0]], value.values  # type: ignore[misc]
        elif typing.get_origin(kind) in _UNIONS:
            kind = _alternative(kind, value)
        shown = hidden(write(value, kind, form))
        if isinstance(shown, list) and "noarraywrap=true" not in accepted:
            shown = {"count": len(shown), "value": shown}
        answer = json_response(shown, status or 200, headers=headers)
        if form.ms_dates:
            # Clients tell a date from a text by the escaped slashes.
            return replace(answer, body=_MS_DATE.sub(rb'"\\/Date(\1)\\/"', answer.body))
        return answer


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a client reads enumerations and dates."""

    numbers: bool
    ms_dates: bool


def contract_of(handler: Callable[..., Any]) -> Contract:
    """The contract that a handler's annotations declare."""
    hints = typing.get_type_hints(handler, include_extras=True)
    known = {"cloud", "_cloud", "request", "query", "body"}
    names = set(inspect.signature(handler).parameters)
    if not names <= known or "return" not in hints:
        raise TypeError(f"{handler.__name__} must take {sorted(known)} and say what it returns")
    answer = hints["return"]
    return Contract(
        handler=handler,
        takes_request="request" in names,
        query=hints.get("query"),
        body=hints.get("body"),
        answer=None if answer is type(None) else answer,
    )


# --- reading --------------------------------------------------------------------------------------


def read_query(query: Mapping[str, str], kind: Any) -> dict[str, Any]:
    """The query parameters as the TypedDict `kind` declares them (None: none is known)."""
    members = {} if kind is None else _members(kind)
    found = {}
    for given, text in query.items():
        if given.lower() == _VERSION:
            continue
        name = _named(members, given)
        if name is None:
            raise unsupported(f"The local Azure does not know the query parameter '{given}' here.")
        if text != "":
            found[name] = _from_text(text, members[name], name)
    return found


def read(value: Any, kind: Any, place: str) -> Any:
    """A JSON value as the type `kind` declares it; numbers of enumerations become words.

    Raises:
        ServiceError: 501 with the place of a member that is not declared, 400 for a wrong form.
    """
    kind, mark = _bare(kind)
    if isinstance(mark, Words):
        return mark.word(value, place)
    if kind is Any:
        return value
    if typing.is_typeddict(kind):
        return _read_object(value, kind, place)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        if not isinstance(value, list):
            raise invalid(f"{place or 'The body'} must be a list.")
        return [read(one, inner[0], f"{place}[{index}]") for index, one in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise invalid(f"{place or 'The body'} must be an object.")
        return {name: read(one, inner[1], _below(place, name)) for name, one in value.items()}
    return _read_plain(value, kind, place)


def _read_object(value: Any, kind: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"{place or 'The body'} must be an object.")
    members, found = _members(kind), {}
    for given, one in value.items():
        name = _named(members, given)
        if name is None:
            where = _below(place, given)
            raise unsupported(f"The local Azure does not know the member '{where}' here.")
        if one is not None and _bare(members[name])[1] is not READ_ONLY:
            found[name] = read(one, members[name], _below(place, name))
    for name in kind.__required_keys__ - set(found):
        raise missing(_below(place, name))
    return found


def _read_plain(value: Any, kind: Any, place: str) -> Any:
    """A text, number or truth value; as the service does, a text is taken for each of them."""
    if isinstance(value, dict | list):
        raise invalid(f"{place} must be of type {kind.__name__}.")
    if kind is str:
        return str(value).lower() if isinstance(value, bool) else str(value)
    return _from_text(str(value), kind, place)


def _from_text(text: str, kind: Any, place: str) -> Any:
    kind, mark = _bare(kind)
    if isinstance(mark, Words):
        return mark.word(text, place)
    if typing.get_origin(kind) is list:
        item = typing.get_args(kind)[0]
        parts = [part.strip() for part in text.split(",") if part.strip()]
        words = _bare(item)[1]
        if isinstance(words, Words):
            return [word for part in parts for word in words.words(part, place)]
        return [_from_text(part, item, place) for part in parts]
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind is int and text.lstrip("-").isdecimal():
        return int(text)
    if kind is float and text.replace(".", "", 1).lstrip("-").isdecimal():
        return float(text)
    if kind is str:
        return text
    raise invalid(f"The value '{text}' is not valid for {place}.")


# --- writing --------------------------------------------------------------------------------------


def write(value: Any, kind: Any, form: Form) -> Any:
    """A value of type `kind` with numbers for words and milliseconds for dates where asked for."""
    if value is None or not (form.numbers or form.ms_dates):
        return value
    kind, mark = _bare(kind)
    if isinstance(mark, Words):
        return mark.numbers.get(value, value) if form.numbers else value
    if mark is DATE:
        return _milliseconds(value) if form.ms_dates else value
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return [write(one, inner[0], form) for one in value]
    if origin is dict:
        return {name: write(one, inner[1], form) for name, one in value.items()}
    if typing.is_typeddict(kind):
        members = _members(kind)
        return {name: write(one, members.get(name, Any), form) for name, one in value.items()}
    return value


def _milliseconds(text: str) -> str:
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return f"/Date({(moment - _EPOCH) // datetime.timedelta(milliseconds=1)})/"


# --- types ----------------------------------------------------------------------------------------


def _bare(kind: Any) -> tuple[Any, Any]:
    """A type without `Annotated` and `| None`, and the mark it carried."""
    origin = typing.get_origin(kind)
    if origin is Annotated:
        return typing.get_args(kind)[0], kind.__metadata__[0]
    if origin in _UNIONS:
        (only,) = [one for one in typing.get_args(kind) if one is not type(None)]
        return _bare(only)
    return kind, None


def _alternative(kind: Any, value: Any) -> Any:
    """Which of the types that a handler may return a value is of: its list, or its object."""
    for one in typing.get_args(kind):
        is_list = typing.get_origin(one) is list
        if one is not Response and is_list is isinstance(value, list):
            return one
    return Any


@functools.cache
def _members(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def _named(members: Mapping[str, Any], given: str) -> str | None:
    """The declared name; as in the service, case does not matter."""
    if given in members:
        return given
    return next((name for name in members if name.lower() == given.lower()), None)


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _required(request: Request) -> Any:
    found = request.json()
    if found is None:
        raise missing("body")
    return found
