"""The development authority and what it signs."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certs.authority import CA_LIFE, SERVER_LIFE, Files, ensure, names_of, server_names

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _texts(files: Files) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in (files.ca, files.ca_key, files.cert, files.key))


def test_the_server_certificate_is_signed_by_the_authority(tmp_path: Path) -> None:
    files = ensure(tmp_path / "certs", ["sip.example.com"], AT)
    _certificate(files.cert).verify_directly_issued_by(_certificate(files.ca))


def test_names_cover_this_machine_the_realms_and_the_advertised_addresses(tmp_path: Path) -> None:
    files = ensure(tmp_path, ["sip.example.com", "192.0.2.7", "2001:db8::7"], AT)
    names = names_of(_certificate(files.cert))
    assert {"localhost", "127.0.0.1", "::1"} <= set(names)
    assert {"sip.example.com", "192.0.2.7", "2001:db8::7"} <= set(names)


def test_wildcards_and_doubles_are_no_names() -> None:
    names = server_names(["0.0.0.0", "::", "", "Sip.Example.com.", "sip.example.com"])
    assert names.count("sip.example.com") == 1
    assert not {"0.0.0.0", "::", ""} & set(names)


def test_lives_are_ten_years_and_397_days(tmp_path: Path) -> None:
    files = ensure(tmp_path, [], AT)
    for path, life in ((files.ca, CA_LIFE), (files.cert, SERVER_LIFE)):
        certificate = _certificate(path)
        assert certificate.not_valid_before_utc < AT
        assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == life
    assert timedelta(days=397) == SERVER_LIFE


def test_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    files = ensure(tmp_path / "certs", [], AT)
    for path in (files.ca_key, files.key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.directory.stat().st_mode) == 0o700


def test_a_second_start_keeps_everything(tmp_path: Path) -> None:
    first = _texts(ensure(tmp_path, ["a.example"], AT))
    assert _texts(ensure(tmp_path, ["a.example"], AT + timedelta(days=300))) == first


def test_a_new_name_renews_the_server_certificate_but_not_the_authority(tmp_path: Path) -> None:
    before = _texts(ensure(tmp_path, ["a.example"], AT))
    after = _texts(ensure(tmp_path, ["b.example"], AT))
    assert after[:2] == before[:2]
    assert after[2:] != before[2:]


def test_an_expired_server_certificate_is_made_anew(tmp_path: Path) -> None:
    ensure(tmp_path, [], AT)
    later = AT + SERVER_LIFE
    files = ensure(tmp_path, [], later)
    assert _certificate(files.cert).not_valid_after_utc > later


@pytest.mark.parametrize("lost", ["ca.pem", "ca.key"])
def test_a_lost_authority_takes_its_server_certificate_along(tmp_path: Path, lost: str) -> None:
    before = _texts(ensure(tmp_path, [], AT))
    (tmp_path / lost).unlink()
    files = ensure(tmp_path, [], AT)
    assert _texts(files) != before
    _certificate(files.cert).verify_directly_issued_by(_certificate(files.ca))


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    files = ensure(tmp_path, [], AT)
    files.cert.write_text("not a certificate")
    ensure(tmp_path, [], AT)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.cert, files.key)
