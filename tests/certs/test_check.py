"""Judging a certificate and its key before use."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from certs.authority import SERVER_LIFE, ensure
from certs.check import CertificateError, check

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_good_pair_tells_its_names_and_its_end(tmp_path: Path) -> None:
    files = ensure(tmp_path, ["sip.example.com"], AT)
    certificate = check(files.cert, files.key, AT)
    assert "sip.example.com" in certificate.names
    assert certificate.subject == "CN=sipgw"
    assert certificate.issuer.startswith("CN=sipgw development CA")
    assert not certificate.expires_soon(AT)
    assert certificate.expires_soon(AT + SERVER_LIFE - timedelta(days=10))


def test_the_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    ours, other = ensure(tmp_path / "a", [], AT), ensure(tmp_path / "b", [], AT)
    with pytest.raises(CertificateError, match="is not the key of"):
        check(ours.cert, other.key, AT)


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    files = ensure(tmp_path, [], AT)
    end = check(files.cert, files.key, AT).not_after
    check(files.cert, files.key, end - timedelta(seconds=1))
    with pytest.raises(CertificateError, match="expired on 2027-12-24 11:00:00 UTC"):
        check(files.cert, files.key, end)


def test_a_certificate_of_the_future_is_refused(tmp_path: Path) -> None:
    files = ensure(tmp_path, [], AT)
    with pytest.raises(CertificateError, match="not valid before"):
        check(files.cert, files.key, AT - timedelta(days=1))


@pytest.mark.parametrize("lost", ["cert", "key"])
def test_a_missing_file_is_named(tmp_path: Path, lost: str) -> None:
    files = ensure(tmp_path, [], AT)
    path: Path = getattr(files, lost)
    path.unlink()
    with pytest.raises(CertificateError, match=f"{path.name} cannot be read: No such file"):
        check(files.cert, files.key, AT)


@pytest.mark.parametrize(
    ("broken", "told"), [("cert", "no certificate"), ("key", "no private key")]
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, broken: str, told: str) -> None:
    files = ensure(tmp_path, [], AT)
    path: Path = getattr(files, broken)
    path.write_text("hello")
    with pytest.raises(CertificateError, match=f"{path.name} holds {told}"):
        check(files.cert, files.key, AT)


def test_a_key_with_a_passphrase_is_explained(tmp_path: Path) -> None:
    files = ensure(tmp_path, [], AT)
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(CertificateError, match="passphrase"):
        check(files.cert, files.key, AT)
