"""Simulated peers for tests and for the demo: a router, the outside and a dynamic DNS service."""
