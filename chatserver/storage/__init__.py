"""The database: one connection, one queue, group commit; and a file of SQL for each table."""

from chatserver.storage.ballast import Ballast
from chatserver.storage.database import Database
from chatserver.storage.job import Answer
from chatserver.storage.lock import DataLock, DataLocked
from chatserver.storage.migrations import DatabaseUnusable
from chatserver.storage.transaction import OneByOne, Transaction, Unit

__all__ = [
    "Answer",
    "Ballast",
    "DataLock",
    "DataLocked",
    "Database",
    "DatabaseUnusable",
    "OneByOne",
    "Transaction",
    "Unit",
]
