"""What a gateway says when something cannot be done: IB's codes with the texts that TWS sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bifrost_lib.sim.wire.system import ErrorMessage


class WireError(Exception):
    """A frame that cannot be read or written: `code` and `text` are what the other side is told."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(f"{code} {text}")


#: Words in braces are facts that `error` fills in; a fact that is not given leaves nothing behind.
ERROR_TEXTS: dict[int, str] = {
    # requests
    100: "Max rate of messages per second has been exceeded:max={limit} rec={rate} (1)",
    101: "Max number of tickers has been reached",
    102: "Duplicate ticker ID.",
    162: "Historical Market Data Service error message:{detail}",
    165: "Historical Market Data Service query message:{detail}",
    200: "No security definition has been found for the request",
    300: "Can't find EId with tickerId:{ticker_id}",
    309: "Max number (3) of market depth requests has been reached",
    317: "Market depth data has been RESET. Please empty deep book contents before applying any new entries.",
    320: "Error reading request. {detail}",
    321: "Error validating request.-'{where}' : cause - {cause}",
    322: "Error processing request.-'{where}' : cause - {cause}",
    326: "Unable to connect as the client id is already in use. Retry with a unique client id.",
    354: "Requested market data is not subscribed.{detail}",
    366: "No historical data query found for ticker id:{ticker_id}",
    420: "Invalid Real-time Query:{detail}",
    430: "The fundamentals data for the security specified is not available.{detail}",
    10089: (
        "Requested market data requires additional subscription for API."
        " See link in 'Market Data Connections' dialog for more details.{detail}"
    ),
    10090: (
        "Part of requested market data is not subscribed. Subscription-independent ticks are still active.{detail}"
    ),
    10091: (
        "Part of requested market data requires additional subscription for API."
        " See link in 'Market Data Connections' dialog for more details.{detail}"
    ),
    10092: "Deep market data is not supported for this combination of security type/exchange",
    10167: "Requested market data is not subscribed. Displaying delayed market data.",
    10168: "Requested market data is not subscribed. Delayed market data is not enabled.",
    10172: "Failed to request news article:{detail}",
    10182: "Failed to request live updates (disconnected).",
    10186: "Requested market data is not subscribed. Delayed market data is not enabled",
    10187: "Failed to request historical ticks:{detail}",
    10189: "Failed to request tick-by-tick data.{detail}",
    10190: "Max number of tick-by-tick requests has been reached",
    10197: "No market data during competing live session",
    10225: ("Bust event occurred, current subscription is deactivated. Please resubscribe real-time bars immediately."),
    10276: "News feed is not allowed.",
    10279: "Failed to request WSH meta data.{detail}",
    10282: "WSH meta data was not requested.{detail}",
    10314: (
        "End Date/Time: The date, time, or time-zone entered is invalid."
        " The correct format is yyyymmdd hh:mm:ss xx/xxxx where yyyymmdd and xx/xxxx are optional."
        " E.g.: 20031126 15:59:00 US/Eastern"
    ),
    # orders
    103: "Duplicate order id",
    104: "Cannot modify a filled order.",
    105: "Order being modified does not match original order.",
    106: "Can't transmit order ID:{order_id}",
    107: "Cannot transmit incomplete order.",
    110: "The price does not conform to the minimum price variation for this contract.",
    111: "The Tif type and the order type are incompatible.",
    135: "Can't find order with id ={order_id}",
    161: "Cancel attempted when order is not in a cancellable state. Order permId ={perm_id}",
    201: "Order rejected - reason:{reason}",
    202: "Order Canceled - reason:{reason}",
    203: "The security {symbol} is not available or allowed for this account.",
    312: "The combo details are invalid.",
    313: "The combo details for '{leg}' are invalid.",
    329: "Order modify failed. Cannot change to the new order type.",
    343: (
        "The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xxx"
        " where yyyymmdd and xxx are optional."
    ),
    387: "Unsupported order type for this exchange and security type.",
    391: (
        "End Time: The date, time, or time-zone entered is invalid."
        " The correct format is yyyymmdd hh:mm:ss xx/xxxx where yyyymmdd and xx/xxxx are optional."
        " E.g.: 20031126 15:59:00 US/Eastern"
    ),
    399: "Order Message:\n{message}",
    404: "Order held while securities are located.",
    434: "The order size cannot be zero.",
    436: "You must specify an allocation.",
    441: "The order parameters are invalid: {detail}",
    442: "Invalid algorithm parameter: {detail}",
    460: "No trading permissions.",
    478: (
        "Parameters in request conflicts with contract parameters received by contract id:"
        " requested {field} {given}, in contract {known}"
    ),
    10006: "Missing parent order.",
    10147: "OrderId {order_id} that needs to be cancelled is not found.",
    10148: "OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {state}.",
    10268: "The 'EtradeOnly' order attribute is not supported.",
    10349: "Order TIF was set to DAY based on order preset.",
    # the session
    1100: "Connectivity between IBKR and Trader Workstation has been lost.",
    1101: "Connectivity between IBKR and Trader Workstation has been restored - data lost.",
    1102: (
        "Connectivity between IBKR and Trader Workstation has been restored - data maintained."
        " All data farms are connected: {farms}."
    ),
    1300: (
        "TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port - {port}"
    ),
    2100: "API client has been unsubscribed from account data.",
    2103: "Market data farm connection is broken:{farm}",
    2104: "Market data farm connection is OK:{farm}",
    2105: "HMDS data farm connection is broken:{farm}",
    2106: "HMDS data farm connection is OK:{farm}",
    2107: "HMDS data farm connection is inactive but should be available upon demand.{farm}",
    2108: "Market data farm connection is inactive but should be available upon demand.{farm}",
    2109: (
        "Order Event Warning: Attribute 'Outside Regular Trading Hours' is ignored based on the order type and"
        " destination. PlaceOrder is now being processed."
    ),
    2110: "Connectivity between Trader Workstation and server is broken. It will be restored automatically.",
    2119: "Market data farm is connecting:{farm}",
    2157: "Sec-def data farm connection is broken:{farm}",
    2158: "Sec-def data farm connection is OK:{farm}",
    2159: "Sec-def data farm connection is inactive but should be available upon demand.{farm}",
    502: "Couldn't connect to TWS.{detail}",
    503: "The TWS is out of date and must be upgraded.{detail}",
    505: "Fatal Error: Unknown message id.{detail}",
    507: "Bad Message Length{detail}",
}

#: Other things that the same code can say; `error` takes the second word as `kind`.
ERROR_KINDS: dict[tuple[int, str], str] = {
    (162, "no data"): "Historical Market Data Service error message:HMDS query returned no data: {contract} {what}",
    (162, "pacing"): ("Historical Market Data Service error message:Historical data request pacing violation"),
    (162, "cancelled"): "Historical Market Data Service error message:API historical data query cancelled: {ticker_id}",
    (200, "ambiguous"): "The contract description specified for {symbol} is ambiguous.",
    (321, "read only"): ("Error validating request.-'bB' : cause - The API interface is currently in Read-Only mode."),
    (321, "snapshot"): (
        "Error validating request.-'bW' : cause - Snapshot market data subscription is not applicable to generic ticks"
    ),
    (321, "generic ticks"): (
        "Error validating request.-'bW' : cause - Incorrect generic tick list of {ticks}."
        "  Legal ones for ({sec_type}) are: {legal}"
    ),
    (321, "contract id"): "Error validating request.-'bW' : cause - Invalid contract id",
    (322, "duplicate"): "Error processing request.-'bW' : cause - Duplicate ticker id",
    (354, "delayed"): "Requested market data is not subscribed.Delayed market data is available.{detail}",
    (202, "no reason"): "Order Canceled - reason:",
}


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""


def error(
    code: int, req_id: int = -1, *, kind: str = "", advanced_order_reject_json: str = "", **facts: object
) -> ErrorMessage:
    """Return what TWS would send for a code.

    Parameters
    ----------
    code : int
        One of `ERROR_TEXTS`.
    req_id : int
        The request or order that it answers; -1 for the session.
    kind : str
        Which of several texts of that code, one of `ERROR_KINDS`.
    advanced_order_reject_json : str
        Why an order was rejected, for clients that can show it.
    **facts : object
        What the words in braces stand for.

    Raises
    ------
    KeyError
        If the code, or its kind, is not known.
    """
    from bifrost_lib.sim.wire.system import ErrorMessage

    text = ERROR_KINDS[code, kind] if kind else ERROR_TEXTS[code]
    return ErrorMessage(req_id, code, text.format_map(_Facts(facts)), advanced_order_reject_json)
