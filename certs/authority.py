"""Owns the development authority: a CA and a server certificate, for a first secure trunk (R88).

Not for the public: a PBX must be given `ca.pem` by hand. Loading and checking is `certs.check`'s.
"""

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE = timedelta(days=3652)
SERVER_LIFE = timedelta(days=397)
# Clocks of PBXs are often behind.
BACKDATED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Files:
    """Where the development certificates of one state directory lie."""

    directory: Path

    @property
    def ca(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def ca_key(self) -> Path:
        return self.directory / "ca.key"

    @property
    def cert(self) -> Path:
        return self.directory / "server.pem"

    @property
    def key(self) -> Path:
        return self.directory / "server.key"


def ensure(directory: Path, names: Iterable[str], at: datetime) -> Files:
    """Make what is missing, expired or does not cover `names`; keep the rest.

    `names` are host names and IP addresses (realms, advertised addresses) besides localhost's own.
    """
    files = Files(directory)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = server_names(names)
    if not _usable_ca(files, at):
        _make_ca(files, at)
        files.cert.unlink(missing_ok=True)
    if not _usable_server(files, wanted, at):
        _make_server(files, wanted, at)
    return files


def server_names(names: Iterable[str]) -> tuple[str, ...]:
    """`names` and this machine's own, without wildcards and doubles, in a stable order."""
    own = ["localhost", socket.gethostname(), "127.0.0.1", "::1"]
    wanted = dict.fromkeys(name.lower().rstrip(".") for name in [*own, *names] if name)
    return tuple(name for name in wanted if name not in ("0.0.0.0", "::"))


def _usable_ca(files: Files, at: datetime) -> bool:
    certificate = _load(files.ca)
    return certificate is not None and files.ca_key.exists() and _valid(certificate, at)


def _usable_server(files: Files, wanted: tuple[str, ...], at: datetime) -> bool:
    certificate, authority = _load(files.cert), _load(files.ca)
    if certificate is None or authority is None or not files.key.exists():
        return False
    if certificate.issuer != authority.subject or not _valid(certificate, at):
        return False
    return set(wanted) <= set(names_of(certificate))


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Host names and addresses a certificate is good for, as text."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*names.get_values_for_type(x509.DNSName), *(str(each) for each in addresses))


def _load(path: Path) -> x509.Certificate | None:
    """The first certificate of a file, or None when there is none that can be read."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc


def _make_ca(files: Files, at: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # The date tells two authorities apart in a PBX's list of trusted ones.
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"sipgw development CA {at:%Y-%m-%d %H:%M:%S}")]
    )
    certificate = (
        _builder(name, name, key, at, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(files.ca_key, key)
    _write(files.ca, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_server(files: Files, names: tuple[str, ...], at: datetime) -> None:
    authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
    signer = serialization.load_pem_private_key(files.ca_key.read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey), "our own CA key is P-256"
    # P-256: old peers (OpenSSL 1.0.2) can verify it, and a handshake costs less than with RSA.
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sipgw")])
    certificate = (
        _builder(name, authority.subject, key, at, SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        # RFC 5922 §7.1: a SIP domain is looked up in subjectAltName.
        .add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
        # Both: we also dial other SIP servers and may be asked who we are.
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    _write_key(files.key, key)
    _write(files.cert, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    at: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    begin = at.astimezone(UTC) - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(text))
    return x509.DNSName(text)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(path, text, 0o600)


def _write(path: Path, text: bytes, mode: int) -> None:
    """Replace the file whole; it never exists with wider rights than `mode`."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
