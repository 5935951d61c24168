"""Metrics: the status page, and /metrics for Prometheus."""
