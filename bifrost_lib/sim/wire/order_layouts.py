"""The three long layouts of orders: placeOrder, openOrder and completedOrder."""

from __future__ import annotations

import math

from bifrost_lib.sim.wire.conditions import CONDITIONS
from bifrost_lib.sim.wire.declare import Fixed, Gate, Many, Maybe, Part, Value, among, given, since, until
from bifrost_lib.sim.wire.records import C11, C12, UNSET_DOUBLE


def _of_order(names: str) -> tuple[Part, ...]:
    return tuple(f"order.{name}" for name in names.split())


def _scales(increment: float) -> bool:
    return 0 < increment < UNSET_DOUBLE


PEG_BENCH, PEG_BEST, PEG_MID = ("PEG BENCH", "PEGBENCH"), ("PEG BEST", "PEGBEST"), ("PEG MID", "PEGMID")

COMBO_LEGS = Many(
    "contract.combo_legs",
    (
        "con_id", "ratio", "action", "exchange", "open_close", "short_sale_slot", "designated_location",
        "exempt_code",
    ),
)  # fmt: skip
COMBO = (
    COMBO_LEGS,
    Many("order.order_combo_legs", ("price",)),
    Many("order.smart_combo_routing_params", ("tag", "value")),
)
DELTA_NEUTRAL_PLACE = _of_order(
    "delta_neutral_con_id delta_neutral_settling_firm delta_neutral_clearing_account delta_neutral_clearing_intent"
    " delta_neutral_open_close delta_neutral_short_sale delta_neutral_short_sale_slot delta_neutral_designated_location"
)
DELTA_NEUTRAL_COMPLETED = _of_order(
    "delta_neutral_con_id delta_neutral_short_sale delta_neutral_short_sale_slot delta_neutral_designated_location"
)
SCALE = (
    *_of_order("scale_init_level_size scale_subs_level_size scale_price_increment"),
    Gate(
        _of_order(
            "scale_price_adjust_value scale_price_adjust_interval scale_profit_offset scale_auto_reset"
            " scale_init_position scale_init_fill_qty scale_random_percent"
        ),
        path="order.scale_price_increment",
        test=_scales,
    ),
)
HEDGE = ("order.hedge_type", given("order.hedge_type", "order.hedge_param"))
ALGO = ("order.algo_strategy", given("order.algo_strategy", Many("order.algo_params", ("tag", "value"))))
BENCHMARK = among(
    "order.order_type",
    PEG_BENCH,
    *_of_order(
        "reference_contract_id is_pegged_change_amount_decrease pegged_change_amount reference_change_amount"
        " reference_exchange_id"
    ),
)
CONDITIONAL = (
    Many("order.conditions", variants=CONDITIONS),
    given("order.conditions", *_of_order("conditions_ignore_rth conditions_cancel_order")),
)
PEG_OFFSETS = _of_order("mid_offset_at_whole mid_offset_at_half")
PEG_TAIL = since(170, *_of_order("min_trade_qty min_compete_size compete_against_best_offset"), *PEG_OFFSETS)
TERMS = _of_order(
    "action total_quantity order_type lmt_price aux_price tif oca_group account open_close origin order_ref"
)
FA = (*_of_order("fa_group fa_method fa_percentage"), until(176, "order.fa_profile"))
MARGINS = tuple(
    Value(f"state.{name}", "number")
    for name in (
        "init_margin_before", "maint_margin_before", "equity_with_loan_before", "init_margin_change",
        "maint_margin_change", "equity_with_loan_change", "init_margin_after", "maint_margin_after",
        "equity_with_loan_after", "commission", "min_commission", "max_commission",
    )
)  # fmt: skip

PLACE_ORDER: tuple[Part, ...] = (
    "order_id", *C12, "sec_id_type", "sec_id", *TERMS,
    *_of_order(
        "transmit parent_id block_order sweep_to_fill display_size trigger_method outside_rth hidden"
    ),
    among("contract.sec_type", ("BAG",), *COMBO),
    Fixed(""), *_of_order("discretionary_amt good_after_time good_till_date"), *FA,
    *_of_order(
        "model_code short_sale_slot designated_location exempt_code oca_type rule80a settling_firm all_or_none min_qty"
        " percent_offset e_trade_only firm_quote_only nbbo_price_cap auction_strategy starting_price stock_ref_price"
        " delta stock_range_lower stock_range_upper override_percentage_constraints volatility volatility_type"
        " delta_neutral_order_type delta_neutral_aux_price"
    ),
    given("order.delta_neutral_order_type", *DELTA_NEUTRAL_PLACE),
    *_of_order("continuous_update reference_price_type trail_stop_price trailing_percent"), *SCALE,
    *_of_order("scale_table active_start_time active_stop_time"), *HEDGE,
    *_of_order("opt_out_smart_routing clearing_account clearing_intent not_held"),
    Maybe("contract.delta_neutral_contract"), *ALGO,
    *_of_order("algo_id what_if order_misc_options solicited randomize_size randomize_price"), BENCHMARK, *CONDITIONAL,
    *_of_order(
        "adjusted_order_type trigger_price lmt_price_offset adjusted_stop_price adjusted_stop_limit_price"
        " adjusted_trailing_amount adjustable_trailing_unit ext_operator soft_dollar_tier.name soft_dollar_tier.val"
        " cash_qty mifid2_decision_maker mifid2_decision_algo mifid2_execution_trader mifid2_execution_algo"
        " dont_use_auto_price_for_hedge is_oms_container discretionary_up_to_limit_price use_price_mgmt_algo"
    ),
    since(158, "order.duration"), since(160, "order.post_to_ats"), since(162, "order.auto_cancel_parent"),
    since(166, "order.advanced_error_override"), since(169, "order.manual_order_time"),
    since(
        170,
        among("contract.exchange", ("IBKRATS",), "order.min_trade_qty"),
        among(
            "order.order_type", PEG_BEST, "order.min_compete_size", "order.compete_against_best_offset",
            among("order.compete_against_best_offset", (math.inf,), *PEG_OFFSETS),
        ),
        among("order.order_type", PEG_MID, *PEG_OFFSETS),
    ),
)  # fmt: skip

OPEN_ORDER: tuple[Part, ...] = (
    "order_id", *C11, *TERMS,
    *_of_order("client_id perm_id outside_rth hidden discretionary_amt good_after_time"), Fixed(""), *FA,
    *_of_order(
        "model_code good_till_date rule80a percent_offset settling_firm short_sale_slot designated_location"
        " exempt_code auction_strategy starting_price stock_ref_price delta stock_range_lower stock_range_upper"
        " display_size block_order sweep_to_fill all_or_none min_qty oca_type e_trade_only firm_quote_only"
        " nbbo_price_cap parent_id trigger_method volatility volatility_type"
    ),
    Value("order.delta_neutral_order_type", "named"), "order.delta_neutral_aux_price", *DELTA_NEUTRAL_PLACE,
    *_of_order(
        "continuous_update reference_price_type trail_stop_price trailing_percent basis_points basis_points_type"
    ),
    "contract.combo_legs_descrip", *COMBO, *SCALE, *HEDGE,
    *_of_order("opt_out_smart_routing clearing_account clearing_intent not_held"),
    Maybe("contract.delta_neutral_contract"), *ALGO, "order.solicited", "order.what_if", "state.status", *MARGINS,
    "state.commission_currency", "state.warning_text", *_of_order("randomize_size randomize_price"), BENCHMARK,
    *CONDITIONAL,
    *_of_order(
        "adjusted_order_type trigger_price trail_stop_price lmt_price_offset adjusted_stop_price"
        " adjusted_stop_limit_price adjusted_trailing_amount adjustable_trailing_unit soft_dollar_tier.name"
        " soft_dollar_tier.val soft_dollar_tier.display_name cash_qty dont_use_auto_price_for_hedge is_oms_container"
        " discretionary_up_to_limit_price use_price_mgmt_algo"
    ),
    since(158, "order.duration"), since(160, "order.post_to_ats"), since(162, "order.auto_cancel_parent"), PEG_TAIL,
)  # fmt: skip

COMPLETED_ORDER: tuple[Part, ...] = (
    *C11, *TERMS, *_of_order("perm_id outside_rth hidden discretionary_amt good_after_time"), *FA,
    *_of_order(
        "model_code good_till_date rule80a percent_offset settling_firm short_sale_slot designated_location"
        " exempt_code starting_price stock_ref_price delta stock_range_lower stock_range_upper display_size"
        " sweep_to_fill all_or_none min_qty oca_type trigger_method volatility volatility_type"
    ),
    Value("order.delta_neutral_order_type", "named"), "order.delta_neutral_aux_price", *DELTA_NEUTRAL_COMPLETED,
    *_of_order("continuous_update reference_price_type trail_stop_price trailing_percent"),
    "contract.combo_legs_descrip", *COMBO, *SCALE, *HEDGE,
    *_of_order("clearing_account clearing_intent not_held"),
    Maybe("contract.delta_neutral_contract"), *ALGO, "order.solicited", "state.status",
    *_of_order("randomize_size randomize_price"), BENCHMARK, *CONDITIONAL,
    *_of_order(
        "trail_stop_price lmt_price_offset cash_qty dont_use_auto_price_for_hedge is_oms_container auto_cancel_date"
        " filled_quantity ref_futures_con_id auto_cancel_parent shareholder imbalance_only route_marketable_to_bbo"
        " parent_perm_id"
    ),
    "state.completed_time", "state.completed_status", PEG_TAIL,
)  # fmt: skip
