"""Interactive Brokers: a session that survives, a budget of market-data lines, and what was observed.

The only package that knows the IB client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.ib.errors import GatewayRefusal, cancellation_is_confirmed, classify
    from bifrost_lib.ib.gateway import Gateway, open_gateway
    from bifrost_lib.ib.limits import UNLIMITED, Limits, Patience
    from bifrost_lib.ib.lines import Priority
    from bifrost_lib.ib.records import (
        GatewayStatus,
        LineGauge,
        ListedOption,
        Observation,
        OptionClass,
        SessionState,
        Underlying,
    )
    from bifrost_lib.ib.subscriptions import Lease
    from bifrost_lib.ib.trading import ReadOnlyError, require_trading

_HOMES = {
    "GatewayRefusal": "errors",
    "cancellation_is_confirmed": "errors",
    "classify": "errors",
    "Gateway": "gateway",
    "open_gateway": "gateway",
    "UNLIMITED": "limits",
    "Limits": "limits",
    "Patience": "limits",
    "Priority": "lines",
    "GatewayStatus": "records",
    "LineGauge": "records",
    "ListedOption": "records",
    "Observation": "records",
    "OptionClass": "records",
    "SessionState": "records",
    "Underlying": "records",
    "Lease": "subscriptions",
    "ReadOnlyError": "trading",
    "require_trading": "trading",
}

__all__ = [
    "UNLIMITED",
    "Gateway",
    "GatewayRefusal",
    "GatewayStatus",
    "Lease",
    "Limits",
    "LineGauge",
    "ListedOption",
    "Observation",
    "OptionClass",
    "Patience",
    "Priority",
    "ReadOnlyError",
    "SessionState",
    "Underlying",
    "cancellation_is_confirmed",
    "classify",
    "open_gateway",
    "require_trading",
]

__getattr__, __dir__ = front_door(__name__, _HOMES)
