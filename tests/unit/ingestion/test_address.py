from ipaddress import ip_address

import pytest

from core.errors_ingest import IngestAddressRefused
from ingestion.address import check_public, is_public


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "8.8.8.8", "172.32.0.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"],
)
def test_an_address_that_everybody_can_reach_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to judge
        "127.0.0.1",
        "127.255.255.254",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_of_a_machine_or_a_network_of_ones_own_is_not(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("addresses", [["93.184.215.14", "127.0.0.1"], ["fe80::1%eth0"]])
def test_one_address_that_is_not_public_refuses_the_whole_name(addresses: list[str]) -> None:
    with pytest.raises(IngestAddressRefused, match=r"site\.test"):
        check_public("site.test", addresses)
