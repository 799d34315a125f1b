"""Kafka → verdict."""
