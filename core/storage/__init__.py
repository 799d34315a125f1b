"""The stores behind ports: history, live view, objects."""
