"""TLS for the local endpoint: an authority of its own, and the list of authorities that a client has to read.

The list is the public one that boto3 brings along with ours at its end, so that a client reads as much as it does on AWS.
"""

from __future__ import annotations

import ipaddress
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path

import botocore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=1)
PUBLIC_AUTHORITIES = Path(botocore.__file__).with_name("cacert.pem")


class Certificates:
    """The server's side and the clients' side, in files of one folder."""

    def __init__(self, folder: Path) -> None:
        authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority = certificate("opendlm's local authority", authority_key, None, authority_key)
        server = certificate("localhost", server_key, authority, authority_key)
        chain, key = folder / "server.pem", folder / "server.key"
        chain.write_bytes(server.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            server_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.authorities = folder / "authorities.pem"
        own = authority.public_bytes(serialization.Encoding.PEM)
        self.authorities.write_bytes(PUBLIC_AUTHORITIES.read_bytes() + b"\n" + own)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(chain, key)

    def environment(self) -> dict[str, str]:
        """The variables by which a client trusts the endpoint: that of most programs, and that of boto3."""
        return {"SSL_CERT_FILE": str(self.authorities), "AWS_CA_BUNDLE": str(self.authorities)}


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """A certificate: an authority's where nobody issues it, else that of a server on this machine."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFETIME)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
