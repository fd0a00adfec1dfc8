"""The values of an account under the keys of account updates and summaries."""

from __future__ import annotations

from math import isinf, isnan

from bifrost_lib.sim.broker.ledger import Ledger
from bifrost_lib.sim.broker.valuation import Figures
from bifrost_lib.sim.wire import AccountValue

CURRENCY = "USD"


def account_values(ledger: Ledger, figures: Figures, *, stock_initial: float, cash_account: bool) -> list[AccountValue]:
    """Return every key of an account, in the order in which IB sends them: by segment, then by currency."""
    return _texts(ledger, cash_account) + _amounts(ledger, figures, stock_initial) + _by_currency(ledger, figures)


def _texts(ledger: Ledger, cash_account: bool) -> list[AccountValue]:
    pairs = [
        ("AccountCode", ledger.account), ("AccountOrGroup", ledger.account), ("AccountReady", "true"),
        ("AccountType", "INDIVIDUAL"), ("DayTradesRemaining", "-1"),
        ("DayTradesRemainingT+1", "-1"), ("DayTradesRemainingT+2", "-1"), ("DayTradesRemainingT+3", "-1"),
        ("DayTradesRemainingT+4", "-1"), ("HighestSeverity", "0"), ("NLVAndMarginInReview", "false"),
        ("SegmentTitle-S", "US Securities"), ("TradingType-S", "STKCASH" if cash_account else "STKMRGN"),
        ("WhatIfPMEnabled", "true"),
    ]  # fmt: skip
    return [
        AccountValue(key, value, CURRENCY if key == "AccountOrGroup" else "", ledger.account) for key, value in pairs
    ]


def _amounts(ledger: Ledger, figures: Figures, stock_initial: float) -> list[AccountValue]:
    required, available, excess = figures.required, figures.available, figures.excess
    gross, net = figures.gross_value, figures.net_liquidation
    segmented = {
        "AccruedCash": 0.0, "AccruedDividend": 0.0, "AvailableFunds": available, "Billable": 0.0,
        "EquityWithLoanValue": figures.equity_with_loan, "ExcessLiquidity": excess, "FullAvailableFunds": available,
        "FullExcessLiquidity": excess, "FullInitMarginReq": required.initial,
        "FullMaintMarginReq": required.maintenance, "GrossPositionValue": gross, "Guarantee": 0.0,
        "IndianStockHaircut": 0.0, "InitMarginReq": required.initial, "LookAheadAvailableFunds": available,
        "LookAheadExcessLiquidity": excess, "LookAheadInitMarginReq": required.initial,
        "LookAheadMaintMarginReq": required.maintenance, "MaintMarginReq": required.maintenance,
        "NetLiquidation": net, "PASharesValue": 0.0, "PhysicalCertificateValue": 0.0, "PostExpirationExcess": excess,
        "PostExpirationMargin": 0.0, "PreviousDayEquityWithLoanValue": figures.equity_with_loan,
        "RegTEquity": figures.equity_with_loan, "RegTMargin": figures.reg_t,
        "SMA": max(figures.equity_with_loan - figures.reg_t, 0.0), "TotalCashValue": figures.cash,
        "TotalDebitCardPendingCharges": 0.0,
    }  # fmt: skip
    account_only = {
        "BuyingPower": max(available, 0.0) / stock_initial, "SettledCash": figures.cash,
    }  # fmt: skip
    rows = []
    for key, amount in segmented.items():
        # The securities segment is all there is.
        rows += [_row(ledger, key, amount), _row(ledger, f"{key}-S", amount)]
    rows += [_row(ledger, key, amount) for key, amount in account_only.items()]
    plain = {
        "Cushion": figures.cushion, "Cushion-S": figures.cushion,
        "Leverage-S": figures.gross_stock_value / net if net else 0.0, "LookAheadNextChange": 0.0,
    }  # fmt: skip
    return rows + [AccountValue(key, _plain(value), "", ledger.account) for key, value in plain.items()]


def _by_currency(ledger: Ledger, figures: Figures) -> list[AccountValue]:
    day_realized = sum(held.day_realized for held in ledger.holdings.values())
    amounts = {
        "CashBalance": figures.cash, "CorporateBondValue": 0.0,
        "FundValue": 0.0, "FutureOptionValue": 0.0, "FuturesPNL": 0.0, "FxCashBalance": 0.0,
        "IssuerOptionValue": 0.0, "MoneyMarketFundValue": 0.0, "MutualFundValue": 0.0,
        "NetDividend": 0.0, "NetLiquidationByCurrency": figures.net_liquidation,
        "OptionMarketValue": figures.option_value,
        "RealizedPnL": day_realized, "StockMarketValue": figures.stock_value, "TBillValue": 0.0, "TBondValue": 0.0,
        "TotalCashBalance": figures.cash, "UnrealizedPnL": figures.unrealized, "WarrantValue": 0.0,
    }  # fmt: skip
    rows = []
    for currency in ("BASE", CURRENCY):
        rows += [
            AccountValue("Currency", currency, currency, ledger.account),
            AccountValue("ExchangeRate", "1.00", currency, ledger.account),
            AccountValue("RealCurrency", CURRENCY, currency, ledger.account),
        ]
        rows += [AccountValue(key, _money(value), currency, ledger.account) for key, value in amounts.items()]
    return rows


def _row(ledger: Ledger, key: str, amount: float) -> AccountValue:
    return AccountValue(key, _money(amount), CURRENCY, ledger.account)


def _money(amount: float) -> str:
    if isnan(amount):
        return ""
    # Both are larger than any account; clients read them as numbers.
    return f"{0.0 if abs(amount) < 0.005 else amount:.2f}" if not isinf(amount) else "1.7976931348623157E308"


def _plain(value: float) -> str:
    return "" if isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".")
