"""bench serving: what a request costs on its way to the engine and back, beside the same batcher behind gRPC."""
