"""The exported columns of the ordering windows, their ledgers, the templates and the plans."""

from __future__ import annotations

from chatserver.core.export import ExportTable

_WINDOW = (
    "id", "opened_ms", "closes_ms", "closed_ms", "opened_by", "title", "note", "orders", "members", "head", "planned",
)  # fmt: skip
_ITEM = ("window_id", "id", "name", "unit", "price", "stock", "member_limit", "ordered")
_ORDER = (
    "message_id", "window_id", "no", "user_id", "state", "lines", "note", "total", "created_ms", "changed_ms",
    "receipt",
)  # fmt: skip
_ENTRY = ("window_id", "entry", "order_no", "salt", "body", "leaf", "head")
_PLAN = (
    "id", "title", "note", "items", "template_id", "seconds", "repeat", "at", "day", "weekdays", "next_day", "opens_ms",
    "last_ms", "last_outcome", "changed_ms", "planned_by",
)  # fmt: skip

EXPORTS = (
    ExportTable("windows", "window", _WINDOW, "id"),
    ExportTable("items", "item", _ITEM, "window_id, id"),
    ExportTable("orders", "order", _ORDER, "message_id"),
    ExportTable("journal", "journal_entry", _ENTRY, "id"),
    ExportTable("marks", "mark", ("window_id", "user_id", "paid", "collected"), "window_id, user_id"),
    ExportTable("order_readings", "reading", ("message_id", "lines"), "message_id"),
    ExportTable("templates", "template", ("id", "title", "note", "items", "seconds", "changed_ms", "changed_by"), "id"),
    ExportTable("plans", "plan", _PLAN, "id"),
)
