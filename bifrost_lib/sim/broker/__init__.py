"""The simulated broker: accounts, orders matched against a market's quotes, commissions, margins, expiry."""

from bifrost_lib.sim.broker.broker import Broker
from bifrost_lib.sim.broker.events import BrokerEvent, PositionProfit, ProfitAndLoss
from bifrost_lib.sim.broker.settings import BrokerSettings

__all__ = ["Broker", "BrokerEvent", "BrokerSettings", "PositionProfit", "ProfitAndLoss"]
