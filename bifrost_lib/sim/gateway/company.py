"""What a login without those subscriptions is told about companies: an answer, so that nobody waits for a report."""

from __future__ import annotations

from bifrost_lib.sim.gateway.registry import Refusal, handles
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.wire import (
    CancelFundamentalData,
    CancelWshEventData,
    CancelWshMetaData,
    ReqFundamentalData,
    ReqWshEventData,
    ReqWshMetaData,
)


@handles(ReqFundamentalData)
def fundamentals(_: Session, __: ReqFundamentalData) -> None:
    """There is no report."""
    raise Refusal(430)


@handles(ReqWshMetaData)
def events_known(_: Session, __: ReqWshMetaData) -> None:
    """There is no calendar."""
    raise Refusal(10279)


@handles(ReqWshEventData)
def events(_: Session, __: ReqWshEventData) -> None:
    """There is no event, because nobody could ask which there are."""
    raise Refusal(10282)


@handles(CancelFundamentalData)
@handles(CancelWshMetaData)
@handles(CancelWshEventData)
def given_up(_: Session, __: CancelFundamentalData | CancelWshMetaData | CancelWshEventData) -> None:
    """Nothing waits: the refusal has gone out."""
