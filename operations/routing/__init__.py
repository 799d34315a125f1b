"""Alert routing: the process that sends alerts to where people want them."""
