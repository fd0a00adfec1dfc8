"""Messages of news: providers, headlines, articles, bulletins."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire.declare import Fixed, Many, request, response
from bifrost_lib.sim.wire.records import TagValue


@request(12, Fixed("1"), "all_messages")
@dataclass(frozen=True, slots=True)
class ReqNewsBulletins:
    """Subscribe to bulletins of the exchanges and of IB."""

    all_messages: bool


@request(13, Fixed("1"))
@dataclass(frozen=True, slots=True)
class CancelNewsBulletins:
    """End the subscription to bulletins."""


@request(84, "req_id", "provider", "article_id", "options")
@dataclass(frozen=True, slots=True)
class ReqNewsArticle:
    """Ask for the text of an article."""

    req_id: int
    provider: str
    article_id: str
    options: tuple[TagValue, ...] = ()


@request(85)
@dataclass(frozen=True, slots=True)
class ReqNewsProviders:
    """Ask for the providers that the login has subscribed."""


@request(86, "req_id", "con_id", "providers", "start", "end", "total_results", "options")
@dataclass(frozen=True, slots=True)
class ReqHistoricalNews:
    """Ask for headlines about an underlying; `providers` are codes separated by plus signs."""

    req_id: int
    con_id: int
    providers: str
    start: str
    end: str
    total_results: int
    options: tuple[TagValue, ...] = ()


@response(14, Fixed("1"), "message_id", "message_type", "text", "exchange")
@dataclass(frozen=True, slots=True)
class NewsBulletin:
    """A bulletin: `message_type` 1 regular, 2 exchange no longer available, 3 available again."""

    message_id: int
    message_type: int
    text: str
    exchange: str


@response(83, "req_id", "article_type", "text")
@dataclass(frozen=True, slots=True)
class NewsArticle:
    """The text of an article: `article_type` 0 text or HTML, 1 a file in base64."""

    req_id: int
    article_type: int
    text: str


@response(84, "req_id", "time_ms", "provider", "article_id", "headline", "extra_data")
@dataclass(frozen=True, slots=True)
class TickNews:
    """A headline of a line that carries news; `time_ms` is epoch milliseconds."""

    req_id: int
    time_ms: int
    provider: str
    article_id: str
    headline: str
    extra_data: str = ""


@dataclass(frozen=True, slots=True)
class NewsProvider:
    """A provider of news."""

    code: str
    name: str


@response(85, Many("providers", ("code", "name")))
@dataclass(frozen=True, slots=True)
class NewsProviders:
    """The providers that the login has subscribed."""

    providers: tuple[NewsProvider, ...] = ()


@response(86, "req_id", "time", "provider", "article_id", "headline")
@dataclass(frozen=True, slots=True)
class HistoricalNews:
    """One headline; `time` is YYYY-MM-DD HH:MM:SS.0 in UTC."""

    req_id: int
    time: str
    provider: str
    article_id: str
    headline: str


@response(87, "req_id", "has_more")
@dataclass(frozen=True, slots=True)
class HistoricalNewsEnd:
    """The headlines that were asked for were sent."""

    req_id: int
    has_more: bool = False
