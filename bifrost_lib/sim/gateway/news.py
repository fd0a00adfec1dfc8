"""News: providers, headlines of lines and of the past, articles, bulletins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bifrost_lib.sim.exchange import Headline
from bifrost_lib.sim.gateway.moments import read_moment
from bifrost_lib.sim.gateway.registry import Refusal, handles
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.wire import (
    CancelNewsBulletins,
    HistoricalNews,
    HistoricalNewsEnd,
    NewsArticle,
    NewsProvider,
    NewsProviders,
    ReqHistoricalNews,
    ReqNewsArticle,
    ReqNewsBulletins,
    ReqNewsProviders,
    TickNews,
)

MOST_HEADLINES = 300
NEWS_S = 2.0
#: How far back headlines are looked for when the request names no beginning.
PAST = timedelta(days=60)


@handles(ReqNewsProviders)
def providers(session: Session, _: ReqNewsProviders) -> None:
    """Send the providers."""
    known = session.gateway.market.news_providers()
    session.send(NewsProviders(tuple(NewsProvider(code, name) for code, name in known)))


@handles(ReqHistoricalNews)
def historical_news(session: Session, message: ReqHistoricalNews) -> None:
    """Send headlines about an underlying, newest first."""
    market = session.gateway.market
    if market.instruments.by_con_id(message.con_id) is None:
        raise Refusal(321, kind="contract id")
    wanted = set(message.providers.replace(",", "+").split("+"))
    unknown = wanted - {code for code, _ in market.news_providers()}
    if unknown:
        raise Refusal(321, where="bW", cause=f"Invalid provider code {sorted(unknown)[0]}")
    now = market.clock.now()
    end = min(read_moment(message.end, UTC) or now, now)
    start = read_moment(message.start, UTC) or end - PAST
    found = [
        item
        for item in market.headlines(message.con_id, start=start, end=end + timedelta(microseconds=1))
        if item.provider in wanted
    ]
    most = min(message.total_results if message.total_results > 0 else MOST_HEADLINES, MOST_HEADLINES)
    for item in found[:most]:
        when = f"{item.ts.astimezone(UTC):%Y-%m-%d %H:%M:%S}.0"
        session.send(HistoricalNews(message.req_id, when, item.provider, item.article_id, item.headline))
        session.gateway.articles[item.provider, item.article_id] = item.text
    session.send(HistoricalNewsEnd(message.req_id, len(found) > most))


@handles(ReqNewsArticle)
def article(session: Session, message: ReqNewsArticle) -> None:
    """Send the text of an article."""
    text = session.gateway.articles.get((message.provider, message.article_id)) or _searched(session, message)
    if text is None:
        raise Refusal(10172, detail=f"No article {message.article_id} of {message.provider}")
    session.send(NewsArticle(message.req_id, 0, text))


def _searched(session: Session, message: ReqNewsArticle) -> str | None:
    market = session.gateway.market
    now = market.clock.now()
    for under in market.instruments.underlyings():
        for item in market.headlines(under.con_id, start=now - PAST, end=now):
            if (item.provider, item.article_id) == (message.provider, message.article_id):
                return item.text
    return None


@handles(ReqNewsBulletins)
def bulletins(session: Session, _: ReqNewsBulletins) -> None:
    """Subscribe to bulletins, which a quiet exchange has none of."""
    session.wants_bulletins = True


@handles(CancelNewsBulletins)
def no_bulletins(session: Session, _: CancelNewsBulletins) -> None:
    """End bulletins."""
    session.wants_bulletins = False


def follow_news(session: Session, req_id: int, con_id: int, wanted: tuple[str, ...]) -> None:
    """Tell the newest headline of a line now, and each later one when it is published."""
    market = session.gateway.market
    told: list[datetime] = [market.clock.now() - PAST]

    def fresh() -> list[Headline]:
        now = market.clock.now()
        found = [
            item
            for item in market.headlines(con_id, start=told[0], end=now)
            if "*" in wanted or item.provider in wanted
        ]
        told[0] = now
        return found[::-1]

    def tell(items: list[Headline]) -> None:
        for item in items:
            session.gateway.articles[item.provider, item.article_id] = item.text
            stamp = int(item.ts.timestamp() * 1000)
            session.send(TickNews(req_id, stamp, item.provider, item.article_id, item.headline))

    tell(fresh()[-1:])
    session.repeat("news", req_id, NEWS_S, lambda: tell(fresh()), is_market_data=True)
