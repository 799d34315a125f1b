"""Hashtag pages → links: a real browser reads what the site's own page reads; one adapter per platform."""
