"""The database: one connection, one queue, group commit; and a file of SQL for each table."""

from chatserver.storage.ballast import Ballast
from chatserver.storage.database import Answer, Database
from chatserver.storage.lock import DataLock, DataLocked
from chatserver.storage.migrations import DatabaseUnusable
from chatserver.storage.transaction import Transaction, Unit

__all__ = ["Answer", "Ballast", "DataLock", "DataLocked", "Database", "DatabaseUnusable", "Transaction", "Unit"]
