"""The world → Kafka."""
