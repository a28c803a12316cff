"""TLS through the guard: the address is pinned, the certificate is still checked against the name."""

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from billing.egress import EgressFailed, Gate, afetch, client, pool
from tests.billing.listener import Listener, reply


def certificate(name: str, folder: Path) -> Path:
    """A key and a self-signed certificate for `name` in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = serialization.PrivateFormat.PKCS8
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return pem


class TlsShop(Listener):
    """shop.example behind TLS on loopback; remembers which name was asked for in the handshake."""

    def __init__(self, folder: Path) -> None:
        pem = certificate("shop.example", folder)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
        self.names: list[str | None] = []
        server.sni_callback = lambda connection, name, context: self.names.append(name)
        super().__init__(reply(b"over tls"), wrap=lambda raw: server.wrap_socket(raw, server_side=True))
        self.trust = ssl.create_default_context(cafile=str(pem))

    def gate(self) -> Gate:
        async def aresolve(host: str, port: int) -> tuple[str, ...]:
            return ("127.0.0.1",)

        names = {f"{host}:{self.port}" for host in ("shop.example", "other.example")}
        return Gate(frozenset(names), resolve=lambda host, port: ("127.0.0.1",), aresolve=aresolve)


def test_the_name_is_sent_and_checked_while_the_address_is_pinned(tmp_path: Path) -> None:
    with TlsShop(tmp_path) as shop, client(shop.gate(), tls=shop.trust) as guarded:
        assert guarded.get(f"https://shop.example:{shop.port}/").text == "over tls"
        assert shop.names == ["shop.example"]


async def test_the_asynchronous_client_checks_the_name_too(tmp_path: Path) -> None:
    with TlsShop(tmp_path) as shop:
        way = pool(shop.gate(), tls=shop.trust)
        assert (await afetch("GET", f"https://shop.example:{shop.port}/", via=way)).body == b"over tls"
        assert shop.names == ["shop.example"]
        with pytest.raises(EgressFailed, match="certificate"):
            await afetch("GET", f"https://other.example:{shop.port}/", via=way)
        way.close()


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    with TlsShop(tmp_path) as shop, client(shop.gate(), tls=shop.trust) as guarded:
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            guarded.get(f"https://other.example:{shop.port}/")
        assert shop.heard == []


def test_an_unknown_issuer_is_refused(tmp_path: Path) -> None:
    with TlsShop(tmp_path) as shop, client(shop.gate()) as guarded:
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            guarded.get(f"https://shop.example:{shop.port}/")
        assert shop.heard == []
