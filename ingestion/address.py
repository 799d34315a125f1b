"""Which addresses of the internet a link may lead to: pure, asked by the gate before it connects.

The lists are IANA's special-purpose registries, and not Python's `is_global`: that one differs between versions, calls
multicast global and does not look into addresses that carry another.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from core.errors_ingest import IngestAddressRefused

_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier's own; Alibaba's metadata service is in it
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's platform service, on an address that looks public
            "169.254.0.0/16",  # link-local: the metadata services of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata service is in it
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112: sinks that answer on the local network
            "192.52.193.0/24",  # AMT relays
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/3",  # multicast, reserved, broadcast
        ),
    )
)
_UNICAST_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, with Teredo, which carries another address
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which carries another address
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_MAPPED = IPv6Network("::ffff:0:0/96")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether everybody on the internet could reach it; one that carries another (mapped, NAT64) is judged by that."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address in _NAT64 or address in _MAPPED:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def check_public(host: str, addresses: Iterable[str]) -> None:
    """Refuse a name unless all its addresses are public: a mixed answer is no mistake one has to help with.

    Raises:
        IngestAddressRefused: one is not.
    """
    for address in addresses:
        # A scope ("%eth0") is only ever on addresses that are refused.
        if not is_public(ip_address(address.partition("%")[0])):
            raise IngestAddressRefused(f"{host} is at {address}, which is not on the public internet")
