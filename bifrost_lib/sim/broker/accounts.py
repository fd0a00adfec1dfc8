"""The accounts of a broker and everything that can be read of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan

from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.sim.broker.commissions import MonthlyVolume
from bifrost_lib.sim.broker.events import PositionProfit, ProfitAndLoss
from bifrost_lib.sim.broker.ledger import Holding, Ledger
from bifrost_lib.sim.broker.products import contract_of
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.broker.settings import BrokerSettings
from bifrost_lib.sim.broker.valuation import Appraiser, Figures, Trade
from bifrost_lib.sim.broker.values import account_values
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.wire import AccountValue, Contract, PortfolioValue, PositionData


class Accounts:
    """Ledgers by account, and the appraiser that values them."""

    def __init__(self, market: Market, names: Sequence[str], cash: float, settings: BrokerSettings) -> None:
        self.names = tuple(names)
        self.ledgers = {name: Ledger(name, cash, cash) for name in self.names}
        self.appraiser = Appraiser(market.instruments, settings.stock_initial, settings.cash_account)
        self._told: dict[str, dict[tuple[str, str], str]] = {name: {} for name in self.names}
        for ledger in self.ledgers.values():
            ledger.volume.contracts, ledger.volume.shares = settings.monthly_contracts, settings.monthly_shares

    def ledger(self, account: str) -> Ledger:
        """Return an account's ledger."""
        if account not in self.ledgers:
            raise UnknownNameError("account", account, self.ledgers)
        return self.ledgers[account]

    def start_day(self, *, new_month: bool) -> None:
        """Begin a new day of daily figures, and a month of commission tiers."""
        for ledger in self.ledgers.values():
            ledger.start_day()
            if new_month:
                ledger.volume = MonthlyVolume()

    def held_con_ids(self) -> set[int]:
        """Return every instrument that an account holds, and the underlyings of options."""
        found: set[int] = set()
        for ledger in self.ledgers.values():
            for holding in ledger.open_positions():
                under = self.appraiser.instrument(holding.con_id).under_con_id
                found |= {holding.con_id, under} if under else {holding.con_id}
        return found

    def figures(self, account: str, sheet: QuoteSheet, trades: Sequence[Trade] = ()) -> Figures:
        """Return an account as it is, or as it would be after `trades`."""
        return self.appraiser.figures(self.ledger(account), sheet, trades)

    def position(self, account: str, con_id: int) -> PositionData:
        """Return one position; 0 where there is none."""
        holding = self.ledger(account).holdings.get(con_id, Holding(con_id))
        return PositionData(account, self._contract(con_id), holding.qty, holding.avg_cost)

    def positions(self, account: str | None) -> list[PositionData]:
        """Return positions that are not zero."""
        chosen = self.names if account is None else (account,)
        return [
            self.position(name, holding.con_id) for name in chosen for holding in self.ledger(name).open_positions()
        ]  # fmt: skip

    def portfolio_value(self, account: str, con_id: int, sheet: QuoteSheet) -> PortfolioValue:
        """Return one position with its value; `realized_pnl` is today's."""
        holding = self.ledger(account).holdings[con_id]
        mark = self.appraiser.mark(holding, sheet)
        value = holding.qty * mark * holding.multiplier
        return PortfolioValue(
            self._contract(con_id), holding.qty, mark, value, holding.avg_cost, value - holding.value_at_cost,
            holding.day_realized, account,
        )  # fmt: skip

    def portfolio(self, account: str, sheet: QuoteSheet) -> list[PortfolioValue]:
        """Return positions with their values, also those that were closed today."""
        return [self.portfolio_value(account, con_id, sheet) for con_id in sorted(self.ledger(account).holdings)]

    def values(self, account: str, sheet: QuoteSheet) -> list[AccountValue]:
        """Return every key of account updates and summaries."""
        ledger, appraiser = self.ledger(account), self.appraiser
        rate = 1.0 if appraiser.cash_account else appraiser.stock_initial
        figures = self.figures(account, sheet)
        return account_values(ledger, figures, stock_initial=rate, cash_account=appraiser.cash_account)

    def changed_values(self, account: str, sheet: QuoteSheet) -> list[AccountValue]:
        """Return values that are not what this method last returned."""
        told = self._told[account]
        changed = [row for row in self.values(account, sheet) if told.get((row.key, row.currency)) != row.value]
        told.update({(row.key, row.currency): row.value for row in changed})
        return changed

    def pnl(self, account: str, sheet: QuoteSheet) -> ProfitAndLoss:
        """Return an account's profit and loss; positions without any price count as unchanged."""
        ledger = self.ledger(account)
        parts = [self.pnl_single(account, con_id, sheet) for con_id in ledger.holdings]

        def total(numbers: list[float]) -> float:
            return sum(number for number in numbers if not isnan(number))

        return ProfitAndLoss(
            total([part.daily for part in parts]),
            total([part.unrealized for part in parts]),
            total([part.realized for part in parts]),
        )

    def pnl_single(self, account: str, con_id: int, sheet: QuoteSheet) -> PositionProfit:
        """Return one position's profit and loss: NaN where there is no price, zeros where there is no position."""
        holding = self.ledger(account).holdings.get(con_id)
        if holding is None:
            return PositionProfit(0.0, 0.0, 0.0, 0.0, 0.0)
        price = self.appraiser.price(con_id, sheet) if holding.qty else 0.0
        value = holding.qty * price * holding.multiplier
        before = 0.0
        if holding.day_qty:
            close = sheet.quote(con_id).close
            # Without a previous close the day has no beginning to count from.
            before = holding.day_qty * holding.multiplier * (price if isnan(close) and holding.qty else close)
        daily = value - before + holding.day_cash
        unrealized = value - holding.value_at_cost if holding.qty else 0.0
        return PositionProfit(holding.qty, nan if isnan(value) else daily, unrealized, holding.day_realized, value)

    def _contract(self, con_id: int) -> Contract:
        return contract_of(self.appraiser.instrument(con_id))
