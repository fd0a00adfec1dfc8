"""The database: snapshots of option chains in time, written by COPY, read as of a moment. The only user of SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.store.actions import corporate_actions as corporate_actions
    from bifrost_lib.store.actions import save_corporate_actions as save_corporate_actions
    from bifrost_lib.store.backtests import list_backtests as list_backtests
    from bifrost_lib.store.backtests import read_backtest as read_backtest
    from bifrost_lib.store.backtests import remove_backtest as remove_backtest
    from bifrost_lib.store.backtests import save_backtest as save_backtest
    from bifrost_lib.store.chain import option_chain as option_chain
    from bifrost_lib.store.chain_requests import ChainRequest as ChainRequest
    from bifrost_lib.store.chain_requests import finish_request as finish_request
    from bifrost_lib.store.chain_requests import list_requests as list_requests
    from bifrost_lib.store.chain_requests import request_chain as request_chain
    from bifrost_lib.store.chain_requests import take_request as take_request
    from bifrost_lib.store.changes import append_option_changes as append_option_changes
    from bifrost_lib.store.changes import option_changes as option_changes
    from bifrost_lib.store.conditions import append_market_conditions as append_market_conditions
    from bifrost_lib.store.conditions import market_conditions as market_conditions
    from bifrost_lib.store.cubes import CubeUpdate as CubeUpdate
    from bifrost_lib.store.cubes import chain_cube as chain_cube
    from bifrost_lib.store.cubes import cube_table as cube_table
    from bifrost_lib.store.cubes import save_cube as save_cube
    from bifrost_lib.store.cubes import update_cube as update_cube
    from bifrost_lib.store.database import Store as Store
    from bifrost_lib.store.database import open_store as open_store
    from bifrost_lib.store.documents import SavedDocument as SavedDocument
    from bifrost_lib.store.documents import document_hits as document_hits
    from bifrost_lib.store.documents import record_hits as record_hits
    from bifrost_lib.store.documents import remove_document as remove_document
    from bifrost_lib.store.documents import save_document as save_document
    from bifrost_lib.store.documents import saved_documents as saved_documents
    from bifrost_lib.store.documents import watch_document as watch_document
    from bifrost_lib.store.earnings import earnings_announcements as earnings_announcements
    from bifrost_lib.store.earnings import known_reports as known_reports
    from bifrost_lib.store.earnings import save_earnings as save_earnings
    from bifrost_lib.store.gaps import Gap as Gap
    from bifrost_lib.store.gaps import close_gap as close_gap
    from bifrost_lib.store.gaps import open_gaps as open_gaps
    from bifrost_lib.store.gaps import record_gap as record_gap
    from bifrost_lib.store.gateways import GatewaySession as GatewaySession
    from bifrost_lib.store.gateways import end_gateway_session as end_gateway_session
    from bifrost_lib.store.gateways import gateway_sessions as gateway_sessions
    from bifrost_lib.store.gateways import note_gateway_session as note_gateway_session
    from bifrost_lib.store.ledger import RunOutcome as RunOutcome
    from bifrost_lib.store.ledger import begin_run as begin_run
    from bifrost_lib.store.ledger import begin_runs as begin_runs
    from bifrost_lib.store.ledger import finish_run as finish_run
    from bifrost_lib.store.ledger import interrupted_runs as interrupted_runs
    from bifrost_lib.store.ledger import list_runs as list_runs
    from bifrost_lib.store.live import QuotePublisher as QuotePublisher
    from bifrost_lib.store.live import forget_quotes as forget_quotes
    from bifrost_lib.store.live import live_quotes as live_quotes
    from bifrost_lib.store.live import publish_quotes as publish_quotes
    from bifrost_lib.store.moments import chain_moments as chain_moments
    from bifrost_lib.store.moments import latest_moment as latest_moment
    from bifrost_lib.store.moments import session_ends as session_ends
    from bifrost_lib.store.notifications import Listener as Listener
    from bifrost_lib.store.notifications import Notification as Notification
    from bifrost_lib.store.notifications import listen as listen
    from bifrost_lib.store.outcomes import document_outcomes as document_outcomes
    from bifrost_lib.store.outcomes import save_outcomes as save_outcomes
    from bifrost_lib.store.peers import plain_copy as plain_copy
    from bifrost_lib.store.peers import plain_to_sql as plain_to_sql
    from bifrost_lib.store.recommendations import Mark as Mark
    from bifrost_lib.store.recommendations import append_marks as append_marks
    from bifrost_lib.store.recommendations import list_recommendations as list_recommendations
    from bifrost_lib.store.recommendations import note_expiry as note_expiry
    from bifrost_lib.store.recommendations import save_recommendations as save_recommendations
    from bifrost_lib.store.recommendations import settle_recommendation as settle_recommendation
    from bifrost_lib.store.recommendations import strategy_marks as strategy_marks
    from bifrost_lib.store.report_runs import begin_report_run as begin_report_run
    from bifrost_lib.store.report_runs import finish_report_run as finish_report_run
    from bifrost_lib.store.report_runs import interrupted_report_runs as interrupted_report_runs
    from bifrost_lib.store.report_runs import list_report_runs as list_report_runs
    from bifrost_lib.store.report_runs import place_report_run as place_report_run
    from bifrost_lib.store.result_libraries import libraries as libraries
    from bifrost_lib.store.result_libraries import library_results as library_results
    from bifrost_lib.store.result_libraries import library_symbols as library_symbols
    from bifrost_lib.store.result_libraries import save_library as save_library
    from bifrost_lib.store.result_libraries import save_library_symbol as save_library_symbol
    from bifrost_lib.store.rights import may_enter as may_enter
    from bifrost_lib.store.roles import drop_user as drop_user
    from bifrost_lib.store.roles import ensure_user as ensure_user
    from bifrost_lib.store.roles import list_users as list_users
    from bifrost_lib.store.roles import url_for as url_for
    from bifrost_lib.store.spool import Backlog as Backlog
    from bifrost_lib.store.spool import Delivery as Delivery
    from bifrost_lib.store.spool import Spool as Spool
    from bifrost_lib.store.spool import spool_backlog as spool_backlog
    from bifrost_lib.store.spool import store_batch as store_batch
    from bifrost_lib.store.spool_files import SpooledBatch as SpooledBatch
    from bifrost_lib.store.spots import spot_between as spot_between
    from bifrost_lib.store.stocks import simulated_symbols as simulated_symbols
    from bifrost_lib.store.studies import add_study_run as add_study_run
    from bifrost_lib.store.studies import begin_look as begin_look
    from bifrost_lib.store.studies import finish_look as finish_look
    from bifrost_lib.store.studies import freeze_study as freeze_study
    from bifrost_lib.store.studies import list_looks as list_looks
    from bifrost_lib.store.studies import list_studies as list_studies
    from bifrost_lib.store.studies import list_study_runs as list_study_runs
    from bifrost_lib.store.studies import read_study as read_study
    from bifrost_lib.store.studies import save_study as save_study
    from bifrost_lib.store.summaries import StoreSummary as StoreSummary
    from bifrost_lib.store.summaries import list_files as list_files
    from bifrost_lib.store.summaries import list_symbols as list_symbols
    from bifrost_lib.store.summaries import store_summary as store_summary
    from bifrost_lib.store.trouble import AlreadyIngested as AlreadyIngested
    from bifrost_lib.store.trouble import SpoolFull as SpoolFull
    from bifrost_lib.store.universe import Watch as Watch
    from bifrost_lib.store.universe import remove_watch as remove_watch
    from bifrost_lib.store.universe import save_watch as save_watch
    from bifrost_lib.store.universe import watchlist as watchlist
    from bifrost_lib.store.writing import FileKey as FileKey
    from bifrost_lib.store.writing import SnapshotWriter as SnapshotWriter
    from bifrost_lib.store.writing import ingestion as ingestion

# Loaded on first use: the database driver, SQLAlchemy and pandas take longer to load than `--help` may take.
_HOMES = {
    "AlreadyIngested": "trouble",
    "Backlog": "spool",
    "ChainRequest": "chain_requests",
    "CubeUpdate": "cubes",
    "Delivery": "spool",
    "FileKey": "writing",
    "Gap": "gaps",
    "GatewaySession": "gateways",
    "Listener": "notifications",
    "Mark": "recommendations",
    "Notification": "notifications",
    "RunOutcome": "ledger",
    "SavedDocument": "documents",
    "SnapshotWriter": "writing",
    "Spool": "spool",
    "SpoolFull": "trouble",
    "SpooledBatch": "spool_files",
    "Store": "database",
    "StoreSummary": "summaries",
    "Watch": "universe",
    "append_market_conditions": "conditions",
    "append_marks": "recommendations",
    "append_option_changes": "changes",
    "begin_report_run": "report_runs",
    "begin_run": "ledger",
    "begin_runs": "ledger",
    "chain_cube": "cubes",
    "chain_moments": "moments",
    "close_gap": "gaps",
    "corporate_actions": "actions",
    "cube_table": "cubes",
    "document_hits": "documents",
    "document_outcomes": "outcomes",
    "drop_user": "roles",
    "earnings_announcements": "earnings",
    "ensure_user": "roles",
    "finish_report_run": "report_runs",
    "finish_request": "chain_requests",
    "finish_run": "ledger",
    "forget_quotes": "live",
    "end_gateway_session": "gateways",
    "gateway_sessions": "gateways",
    "ingestion": "writing",
    "interrupted_report_runs": "report_runs",
    "interrupted_runs": "ledger",
    "known_reports": "earnings",
    "latest_moment": "moments",
    "list_files": "summaries",
    "list_recommendations": "recommendations",
    "list_report_runs": "report_runs",
    "list_requests": "chain_requests",
    "list_runs": "ledger",
    "list_symbols": "summaries",
    "list_users": "roles",
    "may_enter": "rights",
    "listen": "notifications",
    "live_quotes": "live",
    "market_conditions": "conditions",
    "note_expiry": "recommendations",
    "open_gaps": "gaps",
    "open_store": "database",
    "option_chain": "chain",
    "option_changes": "changes",
    "place_report_run": "report_runs",
    "plain_copy": "peers",
    "plain_to_sql": "peers",
    "QuotePublisher": "live",
    "publish_quotes": "live",
    "record_gap": "gaps",
    "record_hits": "documents",
    "remove_document": "documents",
    "remove_watch": "universe",
    "note_gateway_session": "gateways",
    "request_chain": "chain_requests",
    "save_corporate_actions": "actions",
    "save_cube": "cubes",
    "save_document": "documents",
    "save_earnings": "earnings",
    "save_outcomes": "outcomes",
    "save_recommendations": "recommendations",
    "save_watch": "universe",
    "saved_documents": "documents",
    "session_ends": "moments",
    "settle_recommendation": "recommendations",
    "simulated_symbols": "stocks",
    "spot_between": "spots",
    "spool_backlog": "spool",
    "store_batch": "spool",
    "store_summary": "summaries",
    "strategy_marks": "recommendations",
    "take_request": "chain_requests",
    "update_cube": "cubes",
    "url_for": "roles",
    "watch_document": "documents",
    "watchlist": "universe",
    "save_library_symbol": "result_libraries",
    "save_library": "result_libraries",
    "library_symbols": "result_libraries",
    "library_results": "result_libraries",
    "libraries": "result_libraries",
    "save_study": "studies",
    "read_study": "studies",
    "list_study_runs": "studies",
    "list_studies": "studies",
    "list_looks": "studies",
    "freeze_study": "studies",
    "finish_look": "studies",
    "begin_look": "studies",
    "add_study_run": "studies",
    "save_backtest": "backtests",
    "remove_backtest": "backtests",
    "read_backtest": "backtests",
    "list_backtests": "backtests",
}

__getattr__, __dir__ = front_door(__name__, _HOMES)
