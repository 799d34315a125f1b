"""The HTTP gateway: videos, links and texts of other programs → the ledger, and what became of them."""
