"""How a simulated broker behaves where real ones differ or can be told to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BrokerSettings:
    """Switches of the simulated broker; a running one takes new ones by assignment to `Broker.settings`.

    Attributes
    ----------
    read_only : bool
        Refuse all orders with error 321, as a gateway with the read-only API does.
    preset_tif : bool
        Report error 10349 for an order without a time in force and set it to DAY; the order lives on, although
        clients take the message for a cancellation.
    enforce_margin : bool
        Refuse orders that the account cannot carry with error 201.
    fill_delay_s : float
        Seconds of the market's clock between an order's acceptance and its first possible fill.
    fill_share : float
        Share of the displayed size that one step may take, in (0, 1].
    max_working_orders : int
        Working orders per contract, side and account before error 201.
    stock_initial : float
        Initial margin as a share of the value of stock: 0.50 is Regulation T, 0.25 what IB asks for during the day.
    cash_account : bool
        An account without credit: stock is paid in full, short puts are secured by cash, no short stock, no naked
        calls. `stock_initial`, `cash_account` and the monthly figures are read once, when the broker starts.
    monthly_contracts : float
        Option contracts that the account traded earlier in the month, for the commission tier.
    monthly_shares : float
        Likewise, shares.
    """

    read_only: bool = False
    preset_tif: bool = False
    enforce_margin: bool = True
    fill_delay_s: float = 0.0
    fill_share: float = 1.0
    max_working_orders: int = 20
    stock_initial: float = 0.50
    cash_account: bool = False
    monthly_contracts: float = 0.0
    monthly_shares: float = 0.0
