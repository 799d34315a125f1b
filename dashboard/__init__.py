"""Stores → eyes."""
