"""What the guard lets out, judged before any connection (ATTACKS A001–A006, A009–A011)."""

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import addresses, egress
from billing.egress import EgressRefused, avet, vet

PUBLIC = "93.184.215.14"


def says(*answers: str):
    return lambda host, port: answers


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "0.0.0.0", "[::1]", "[::]",
        "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200",
        "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "0.1.2.3",
        "224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1",
        "192.0.0.8", "192.0.0.9", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
        "[fc00::1]", "[fe80::1]", "[ff02::1]", "[fec0::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]",
        "[5f00::1]",
        "[::ffff:169.254.169.254]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[2a01::5efe:7f00:1]",
    ],
)  # fmt: skip
def test_a_literal_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(EgressRefused, match="not on the internet"):
        vet(f"http://{host}/latest/meta-data/", allow=())


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost."])
def test_localhost_is_refused_by_what_it_resolves_to(host: str) -> None:
    with pytest.raises(EgressRefused, match="loopback"):
        vet(f"http://{host}/", allow=())


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "0x7f.1",
        "0177.0.0.1", "127.1", "127.0.0.1.", "127。0。0。1", "①②⑦.0.0.1",
        "[::1%25lo]", "[::1%lo]", "1.2.3.4.5", "127.0.0.1%00.example.com", "exa mple.com", "[127.0.0.1]", "",
        "-a.example.com", "a..example.com", ".example.com", "[::1", "::1", "a" * 64 + ".com",
    ],
)  # fmt: skip
def test_an_odd_host_is_refused_without_asking_the_resolver(host: str) -> None:
    asked: list[str] = []

    def resolve(name: str, port: int) -> tuple[str, ...]:
        asked.append(name)
        return egress.destination.system_resolve(name, port) if name == "127.0.0.1" else (PUBLIC,)

    with pytest.raises(EgressRefused):
        vet(f"http://{host}/", allow=(), resolve=resolve)
    assert set(asked) <= {"127.0.0.1"}


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "dict://example.com/",
        "ldap://example.com",
        "data:text/plain,x", "jar:http://example.com!/", "unix:/var/run/docker.sock", "ext::sh -c id",
        "example.com",
        "//example.com/", "", "http:example.com", "http:/example.com", "javascript://example.com",
    ],
)  # fmt: skip
def test_only_http_and_https_are_read(url: str) -> None:
    with pytest.raises(EgressRefused):
        vet(url, allow=(), resolve=says(PUBLIC))


@pytest.mark.parametrize(
    "url",
    [
        "http://public.example@127.0.0.1/", "http://127.0.0.1#@public.example/",
        "http://public.example\\@127.0.0.1/",
        "http://user:secret@public.example/", "http://public.example\t/", "http://public\n.example/",
        "http://public.example/\r\nHost: other", " http://public.example/", "http://public.example:80:81/",
        "http://public.example:8o/", "http://public.example:-1/", "http://public.example:99999/",
        "http://:80/",
        "http://public.example:٨٠/", "http://[::1]@public.example/", "http://" + "a" * 9000,
    ],
)  # fmt: skip
def test_a_url_that_parsers_disagree_about_is_refused(url: str) -> None:
    with pytest.raises(EgressRefused):
        vet(url, allow=(), resolve=lambda host, port: (host if host[0].isdigit() else PUBLIC,))


@pytest.mark.parametrize("port", [6379, 5432, 25, 22, 2375, 11211, 8080, 8000])
def test_other_ports_are_closed(port: int) -> None:
    with pytest.raises(EgressRefused, match="port"):
        vet(f"http://public.example:{port}/", allow=(), resolve=says(PUBLIC))


@pytest.mark.parametrize(
    "answers",
    [("127.0.0.1",), ("::1",), (PUBLIC, "10.0.0.1"), ("10.0.0.1", PUBLIC), (PUBLIC, "fe80::1%eth0"), ()],
)
def test_one_answer_that_is_not_public_refuses_the_name(answers: tuple[str, ...]) -> None:
    with pytest.raises(EgressRefused):
        vet("https://mixed.example/", allow=(), resolve=says(*answers))


def test_a_public_name_is_vetted_with_all_its_addresses() -> None:
    place = vet(
        "https://Public.Example/a b?q=ü".replace(" ", "%20"),
        allow=(),
        resolve=says(PUBLIC, "2606:4700::1", PUBLIC),
    )
    assert (place.scheme, place.host, place.port) == ("https", "public.example", 443)
    assert place.addresses == (PUBLIC, "2606:4700::1")
    assert place.url == "https://public.example/a%20b?q=%C3%BC"


def test_an_international_name_is_vetted_in_the_spelling_that_is_connected() -> None:
    assert vet("https://bücher.example/", allow=(), resolve=says(PUBLIC)).host == "xn--bcher-kva.example"


def test_nat64_of_a_public_address_is_public() -> None:
    assert addresses.why_not_public(ipaddress.ip_address("64:ff9b::5db8:d70e")) is None


def test_the_operator_may_name_a_host_and_port() -> None:
    assert vet("http://127.0.0.1:9000/", allow=["127.0.0.1:9000"]).exempt
    with pytest.raises(EgressRefused):
        vet("http://127.0.0.1:9001/", allow=["127.0.0.1:9000"])
    with pytest.raises(EgressRefused):
        vet("http://localhost:9000/", allow=["127.0.0.1:9000"])


def test_an_open_port_is_open_for_public_hosts_only() -> None:
    assert vet("https://public.example:8443/", allow=["*:8443"], resolve=says(PUBLIC)).port == 8443
    with pytest.raises(EgressRefused):
        vet("https://inside.example:8443/", allow=["*:8443"], resolve=says("10.0.0.1"))


def test_exceptions_come_from_the_settings_when_none_are_given(settings) -> None:
    settings.EGRESS_ALLOW = ["127.0.0.1:9000"]
    assert vet("http://127.0.0.1:9000/").exempt


async def test_asynchronous_callers_get_the_same_answers() -> None:
    with pytest.raises(EgressRefused, match="loopback"):
        await avet("http://localhost/", allow=())

    async def resolve(host: str, port: int) -> tuple[str, ...]:
        return (PUBLIC,)

    assert (await avet("http://public.example/", allow=(), resolve=resolve)).addresses == (PUBLIC,)


def test_a_name_that_does_not_resolve_is_refused() -> None:
    with pytest.raises(EgressRefused, match="no address"):
        vet("http://nowhere.invalid/", allow=())


@given(st.ip_addresses(v=4))
def test_every_mapped_address_is_judged_as_the_address_inside(inner: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{inner}")
    nat64 = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(inner))
    assert (
        addresses.why_not_public(mapped) == addresses.why_not_public(inner) == addresses.why_not_public(nat64)
    )


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public_to_us(address: addresses.Address) -> None:
    if address.is_private or address.is_multicast or address.is_loopback or address.is_link_local:
        assert addresses.why_not_public(address) or _embeds_public(address)


def _embeds_public(address: addresses.Address) -> bool:
    return (
        address.version == 6 and addresses.why_not_public(address) is None and address.ipv4_mapped is not None
    )


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}@127.0.0.1/", f"https://public.example{text}"):
        try:
            place = vet(url, allow=(), resolve=says(PUBLIC))
        except EgressRefused:
            continue
        assert place.host.isascii()
        assert socket.inet_pton(socket.AF_INET, place.addresses[0])
