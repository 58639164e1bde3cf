"""Owns how we speak TLS: a context for listeners, one for connections we dial (RFC 8996, R88).

TLS 1.2 is the least, with forward secrecy and AEAD ciphers only; PBXs with OpenSSL 1.0.2 still
manage.
"""

import ssl
from pathlib import Path

CIPHERS = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    )
)


def server_context(cert: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """For listeners. With `client_ca` every peer must show a certificate signed by it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    context.load_cert_chain(cert, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(
    ca: Path | None = None, cert: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """For connections we dial: the peer's certificate and name are checked.

    `ca` None trusts the system's authorities. `cert` and `key` are shown to a server that asks.
    """
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    _harden(context)
    if cert is not None:
        context.load_cert_chain(cert, key)
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    # Renegotiation and compression are old ways to make a server work or leak.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
