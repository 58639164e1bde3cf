"""Owns the judgement of a certificate and its key before a listener uses them.

Says what is wrong in words an operator can act on; makes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs.authority import names_of

SOON = timedelta(days=21)


class CertificateError(Exception):
    """The files cannot serve; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of a usable certificate."""

    subject: str
    issuer: str
    names: tuple[str, ...]  # host names and addresses it is good for
    not_before: datetime
    not_after: datetime  # UTC; a metric

    def expires_soon(self, at: datetime) -> bool:
        return self.not_after - at < SOON


def check(cert: Path, key: Path, at: datetime) -> Certificate:
    """Read both files and judge them at the instant `at` (UTC). Raises CertificateError."""
    first = _certificates(cert)[0]
    private = _private_key(key)
    subject = first.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if (
        private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        != subject
    ):
        raise CertificateError(f"{key} is not the key of {cert}")
    if at < first.not_valid_before_utc:
        raise CertificateError(f"{cert} is not valid before {first.not_valid_before_utc:%F %T} UTC")
    if at >= first.not_valid_after_utc:
        raise CertificateError(f"{cert} expired on {first.not_valid_after_utc:%F %T} UTC")
    return Certificate(
        subject=first.subject.rfc4514_string(),
        issuer=first.issuer.rfc4514_string(),
        names=names_of(first),
        not_before=first.not_valid_before_utc,
        not_after=first.not_valid_after_utc,
    )


def _bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CertificateError(f"{path} holds no certificate in PEM form") from None


def _private_key(path: Path) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from None
    except TypeError:
        raise CertificateError(f"{path} is protected by a passphrase; remove it") from None
    except ValueError:
        raise CertificateError(f"{path} holds no private key in PEM form") from None
