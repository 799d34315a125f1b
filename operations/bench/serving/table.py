"""What `bench serving` found, as a table for people."""

from typing import Any

from rich.table import Table

_COLUMNS = {
    "req_s": "req/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "server_cpu_ms": "server CPU",
    "client_cpu_ms": "client",
    "busy_fraction": "busy",
    "idle_ms_per_batch": "idle",
    "batch": "batch",
}
"""Figure → its heading; CPU in ms per request, idle in ms per batch."""


def serving_table(result: dict[str, Any]) -> Table:
    """One row per server and number of clients; a server that was not measured says why."""
    foot = f"{result['cores']} cores, clips of {result['clip_bytes'] / 1e6:.1f} MB, most clients beside gRPC: "
    foot += f"{result['ratio_req_s']} x req/s" if result["ratio_req_s"] else "no ratio"
    table = Table("server", "clients", "in flight", *_COLUMNS.values(), box=None, caption=foot, caption_justify="left")
    for name in ("ring", "grpc", "litserve", "starter"):
        measured = result[name]
        if isinstance(measured, str):
            table.add_row(name, "", "", measured)
            continue
        for key, in_flight in (("clients", result["in_flight_per_client"]), ("one_in_flight", 1)):
            for clients, row in measured[key].items():
                values = (f"{row[column]:.2f}" if column in row else "" for column in _COLUMNS)
                table.add_row(name, clients, str(in_flight), *values)
    return table
