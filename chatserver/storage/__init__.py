"""The database: one connection, one queue, group commit; and a file of SQL for each table."""

from chatserver.storage.ballast import Ballast
from chatserver.storage.database import Database, Transaction, Unit
from chatserver.storage.lock import DataLock, DataLocked
from chatserver.storage.migrations import DatabaseUnusable

__all__ = ["Ballast", "DataLock", "DataLocked", "Database", "DatabaseUnusable", "Transaction", "Unit"]
