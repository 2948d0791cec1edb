"""Prefect tasks, one module per Azure noun, and what they rest on: the store, the ledger, the blocks."""
