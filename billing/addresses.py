"""Which IP addresses are the public internet: one list of what is not, and why.

`ipaddress.is_global` calls multicast, site-local and NAT64 of private addresses global: it is not asked.
"""

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by carriers"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)

_NOT_PUBLIC_V6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("::/128", "this host"),
        ("::1/128", "loopback"),
        ("::/96", "an embedded IPv4 address"),
        ("64:ff9b:1::/48", "a local NAT64"),
        ("100::/64", "discarded"),
        ("2001::/32", "a Teredo tunnel"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "a 6to4 tunnel"),
        ("2620:4f:8000::/48", "reserved"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def parse(text: str) -> Address | None:
    """The address `text` spells in its one canonical spelling, or None."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def why_not_public(address: Address) -> str | None:
    """What kind of non-public address this is, or None when it is public."""
    if isinstance(address, IPv4Address):
        return _first(address, _NOT_PUBLIC_V4)
    if address.scope_id is not None:
        return "bound to a local interface"
    embedded = _translated(address)
    if embedded is not None:
        return _first(embedded, _NOT_PUBLIC_V4)
    known = _first(address, _NOT_PUBLIC_V6)
    if known is None and address not in _GLOBAL_UNICAST:
        return "reserved"
    if known is None and _is_isatap(address):
        return "an ISATAP tunnel"
    return known


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 host that packets to this address end at: IPv4-mapped or the well-known NAT64 prefix."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


def _is_isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFCFF_FFFF == 0x0000_5EFE


def _first(
    address: Address,
    networks: tuple[tuple[IPv4Network, str], ...] | tuple[tuple[IPv6Network, str], ...],
) -> str | None:
    return next((why for network, why in networks if address in network), None)
