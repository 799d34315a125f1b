"""Bytes → clip: probe, cage, decode, sampling."""
