"""The audit log: what administrators and the operator did."""
