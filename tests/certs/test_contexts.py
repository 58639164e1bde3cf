"""TLS between our two contexts and old or careless peers."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certs.authority import Files, ensure
from certs.contexts import client_context, server_context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return ensure(tmp_path / "ours", ["sip.example.com"], datetime.now(UTC))


@pytest.fixture
def strangers(tmp_path: Path) -> Files:
    return ensure(tmp_path / "theirs", [], datetime.now(UTC))


class Pair:
    """A client and a server that shake hands in memory."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(up, down, server_side=True)
        self.client = client.wrap_bio(down, up, server_hostname=name)

    def shake(self) -> tuple[str | None, str]:
        """Version and cipher; raises what either side raises."""
        waiting = [self.client, self.server]
        for _ in range(10):
            for side in list(waiting):
                try:
                    side.do_handshake()
                    waiting.remove(side)
                except ssl.SSLWantReadError:
                    pass
        assert not waiting, "the handshake stalled"
        # TLS 1.3 lets the client finish before its certificate was judged.
        self.server.write(b"x")
        assert self.client.read(1) == b"x"
        cipher = self.server.cipher()
        assert cipher is not None
        return self.server.version(), cipher[0]


@pytest.mark.parametrize("name", ["sip.example.com", "localhost", "127.0.0.1", "::1"])
def test_our_own_contexts_agree_on_tls_1_3(files: Files, name: str) -> None:
    """R88: TLS between PBX and gateway."""
    pair = Pair(server_context(files.cert, files.key), client_context(files.ca), name)
    assert pair.shake()[0] == "TLSv1.3"


def test_a_name_that_is_not_in_the_certificate_is_refused(files: Files) -> None:
    pair = Pair(server_context(files.cert, files.key), client_context(files.ca), "evil.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        pair.shake()


def test_an_unknown_authority_is_refused(files: Files, strangers: Files) -> None:
    pair = Pair(server_context(files.cert, files.key), client_context(strangers.ca), "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        pair.shake()


def test_an_old_pbx_gets_tls_1_2_with_forward_secrecy(files: Files) -> None:
    """The offer of OpenSSL 1.0.2: TLS 1.2, no X25519, no ChaCha20."""
    old = client_context(files.ca)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ecdh_curve("prime256v1")
    old.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA:AES128-SHA")
    pair = Pair(server_context(files.cert, files.key), old, "localhost")
    assert pair.shake() == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")


@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA"])
def test_ciphers_without_forward_secrecy_or_aead_are_refused(files: Files, cipher: str) -> None:
    old = client_context(files.ca)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers(cipher)
    with pytest.raises(ssl.SSLError):
        Pair(server_context(files.cert, files.key), old, "localhost").shake()


def test_tls_1_1_is_not_spoken(files: Files) -> None:
    for context in (server_context(files.cert, files.key), client_context(files.ca)):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_with_a_client_authority_a_peer_must_show_a_certificate(files: Files) -> None:
    server = server_context(files.cert, files.key, files.ca)
    with pytest.raises(ssl.SSLError):
        Pair(server, client_context(files.ca), "localhost").shake()
    known = client_context(files.ca, files.cert, files.key)
    assert Pair(server, known, "localhost").shake()[0] == "TLSv1.3"


def test_with_a_client_authority_a_stranger_is_refused(files: Files, strangers: Files) -> None:
    server = server_context(files.cert, files.key, files.ca)
    stranger = client_context(files.ca, strangers.cert, strangers.key)
    with pytest.raises(ssl.SSLError):
        Pair(server, stranger, "localhost").shake()


def test_without_an_authority_the_systems_are_trusted() -> None:
    context = client_context()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
