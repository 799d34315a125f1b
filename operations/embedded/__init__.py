"""The platform's servers on one machine, from wheels: S3, broker, PostgreSQL, Valkey, MLflow."""
