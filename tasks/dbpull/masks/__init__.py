"""Masks: columns that get other values before their rows reach a database.

Between definitions and rows, each masked table gets a trigger in a schema of our own;
before the swap, the schema is dropped.
"""
