"""Reckoning: every order worked out once more from docs/rules.md, by code that shares nothing with the server."""
