"""A dump on a host: how it gets there, and the dumps that lie there."""
