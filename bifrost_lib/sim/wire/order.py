"""An order as the protocol writes it, with the state that IB adds to it."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire.conditions import Condition
from bifrost_lib.sim.wire.records import UNSET_DOUBLE, UNSET_INT, TagValue


@dataclass(frozen=True, slots=True)
class OrderComboLeg:
    """The limit price of one leg."""

    price: float = UNSET_DOUBLE


@dataclass(frozen=True, slots=True)
class SoftDollarTier:
    """The soft-dollar account that pays a part of the commission."""

    name: str = ""
    val: str = ""
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """Every field of an order, with the defaults that clients send when nothing was said.

    An unset number is UNSET_DOUBLE or UNSET_INT, never 0 and never NaN.
    """

    order_id: int = 0
    client_id: int = 0
    perm_id: int = 0
    action: str = ""
    total_quantity: float = 0.0
    order_type: str = ""
    lmt_price: float = UNSET_DOUBLE
    aux_price: float = UNSET_DOUBLE
    tif: str = ""
    active_start_time: str = ""
    active_stop_time: str = ""
    oca_group: str = ""
    oca_type: int = 0
    order_ref: str = ""
    transmit: bool = True
    parent_id: int = 0
    block_order: bool = False
    sweep_to_fill: bool = False
    display_size: int = 0
    trigger_method: int = 0
    outside_rth: bool = False
    hidden: bool = False
    good_after_time: str = ""
    good_till_date: str = ""
    rule80a: str = ""
    all_or_none: bool = False
    min_qty: int = UNSET_INT
    percent_offset: float = UNSET_DOUBLE
    override_percentage_constraints: bool = False
    trail_stop_price: float = UNSET_DOUBLE
    trailing_percent: float = UNSET_DOUBLE
    fa_group: str = ""
    fa_profile: str = ""
    fa_method: str = ""
    fa_percentage: str = ""
    designated_location: str = ""
    open_close: str = "O"
    origin: int = 0
    short_sale_slot: int = 0
    exempt_code: int = -1
    discretionary_amt: float = 0.0
    e_trade_only: bool = False
    firm_quote_only: bool = False
    nbbo_price_cap: float = UNSET_DOUBLE
    opt_out_smart_routing: bool = False
    auction_strategy: int = 0
    starting_price: float = UNSET_DOUBLE
    stock_ref_price: float = UNSET_DOUBLE
    delta: float = UNSET_DOUBLE
    stock_range_lower: float = UNSET_DOUBLE
    stock_range_upper: float = UNSET_DOUBLE
    randomize_price: bool = False
    randomize_size: bool = False
    volatility: float = UNSET_DOUBLE
    volatility_type: int = UNSET_INT
    delta_neutral_order_type: str = ""
    delta_neutral_aux_price: float = UNSET_DOUBLE
    delta_neutral_con_id: int = 0
    delta_neutral_settling_firm: str = ""
    delta_neutral_clearing_account: str = ""
    delta_neutral_clearing_intent: str = ""
    delta_neutral_open_close: str = ""
    delta_neutral_short_sale: bool = False
    delta_neutral_short_sale_slot: int = 0
    delta_neutral_designated_location: str = ""
    continuous_update: bool = False
    reference_price_type: int = UNSET_INT
    basis_points: float = UNSET_DOUBLE
    basis_points_type: int = UNSET_INT
    scale_init_level_size: int = UNSET_INT
    scale_subs_level_size: int = UNSET_INT
    scale_price_increment: float = UNSET_DOUBLE
    scale_price_adjust_value: float = UNSET_DOUBLE
    scale_price_adjust_interval: int = UNSET_INT
    scale_profit_offset: float = UNSET_DOUBLE
    scale_auto_reset: bool = False
    scale_init_position: int = UNSET_INT
    scale_init_fill_qty: int = UNSET_INT
    scale_random_percent: bool = False
    scale_table: str = ""
    hedge_type: str = ""
    hedge_param: str = ""
    account: str = ""
    settling_firm: str = ""
    clearing_account: str = ""
    clearing_intent: str = ""
    algo_strategy: str = ""
    algo_params: tuple[TagValue, ...] = ()
    smart_combo_routing_params: tuple[TagValue, ...] = ()
    algo_id: str = ""
    what_if: bool = False
    not_held: bool = False
    solicited: bool = False
    model_code: str = ""
    order_combo_legs: tuple[OrderComboLeg, ...] = ()
    order_misc_options: tuple[TagValue, ...] = ()
    reference_contract_id: int = 0
    pegged_change_amount: float = 0.0
    is_pegged_change_amount_decrease: bool = False
    reference_change_amount: float = 0.0
    reference_exchange_id: str = ""
    adjusted_order_type: str = ""
    trigger_price: float = UNSET_DOUBLE
    adjusted_stop_price: float = UNSET_DOUBLE
    adjusted_stop_limit_price: float = UNSET_DOUBLE
    adjusted_trailing_amount: float = UNSET_DOUBLE
    adjustable_trailing_unit: int = 0
    lmt_price_offset: float = UNSET_DOUBLE
    conditions: tuple[Condition, ...] = ()
    conditions_cancel_order: bool = False
    conditions_ignore_rth: bool = False
    ext_operator: str = ""
    soft_dollar_tier: SoftDollarTier = SoftDollarTier()
    cash_qty: float = UNSET_DOUBLE
    mifid2_decision_maker: str = ""
    mifid2_decision_algo: str = ""
    mifid2_execution_trader: str = ""
    mifid2_execution_algo: str = ""
    dont_use_auto_price_for_hedge: bool = False
    is_oms_container: bool = False
    discretionary_up_to_limit_price: bool = False
    auto_cancel_date: str = ""
    filled_quantity: float = UNSET_DOUBLE
    ref_futures_con_id: int = 0
    auto_cancel_parent: bool = False
    shareholder: str = ""
    imbalance_only: bool = False
    route_marketable_to_bbo: bool = False
    parent_perm_id: int = 0
    use_price_mgmt_algo: bool = False
    duration: int = UNSET_INT
    post_to_ats: int = UNSET_INT
    advanced_error_override: str = ""
    manual_order_time: str = ""
    min_trade_qty: int = UNSET_INT
    min_compete_size: int = UNSET_INT
    compete_against_best_offset: float = UNSET_DOUBLE
    mid_offset_at_whole: float = UNSET_DOUBLE
    mid_offset_at_half: float = UNSET_DOUBLE


@dataclass(frozen=True, slots=True)
class OrderState:
    """What IB says about an order: its status, and margins and commissions when it was only a what-if question."""

    status: str = ""
    init_margin_before: float = UNSET_DOUBLE
    maint_margin_before: float = UNSET_DOUBLE
    equity_with_loan_before: float = UNSET_DOUBLE
    init_margin_change: float = UNSET_DOUBLE
    maint_margin_change: float = UNSET_DOUBLE
    equity_with_loan_change: float = UNSET_DOUBLE
    init_margin_after: float = UNSET_DOUBLE
    maint_margin_after: float = UNSET_DOUBLE
    equity_with_loan_after: float = UNSET_DOUBLE
    commission: float = UNSET_DOUBLE
    min_commission: float = UNSET_DOUBLE
    max_commission: float = UNSET_DOUBLE
    commission_currency: str = ""
    warning_text: str = ""
    completed_time: str = ""
    completed_status: str = ""
