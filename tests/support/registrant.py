"""Owns `Registrant`: an account that registers by hand from a `SipPeer`, with any password."""

import re
import secrets

from tests.support.sip_peer import Address, Message, SipPeer, compose, digest

REALM = "sipgw.local"


class Registrant:
    """Remembers Call-ID and CSeq; `responses` are the digest responses it has sent."""

    def __init__(self, peer: SipPeer, server: Address, username: str) -> None:
        self.peer = peer
        self.server = server
        self.username = username
        self.responses: list[str] = []
        self._call_id = f"register-{secrets.token_hex(6)}"
        self._cseq = 0

    def send(self, *fields: tuple[str, str], expires_s: int = 300) -> None:
        self._cseq += 1
        aor = f"<sip:{self.username}@{REALM}>"
        kept = [
            self.peer.via(),
            ("Max-Forwards", "70"),
            ("From", f"{aor};tag=r1"),
            ("To", aor),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", f"<sip:{self.username}@{self.peer.address}>"),
            ("User-Agent", f"PBX of {self.username}"),
            ("Expires", str(expires_s)),
            *fields,
        ]
        self.peer.send(compose(f"REGISTER sip:{REALM} SIP/2.0", kept), self.server)

    def _final(self) -> Message:
        wanted = f"{self._cseq} REGISTER"
        return self.peer.wait(
            lambda m: m.status >= 200 and m.header("CSeq") == wanted, "answer to REGISTER"
        )

    def register(self, password: str, expires_s: int = 300) -> Message:
        """Challenge and answer; the final response."""
        self.send(expires_s=expires_s)
        challenge = self._final()
        assert challenge.status == 401, challenge.text
        self.send(("Authorization", self.signed(challenge, password)), expires_s=expires_s)
        return self._final()

    def signed(self, challenge: Message, password: str) -> str:
        value = digest(
            challenge.header("WWW-Authenticate"),
            username=self.username,
            password=password,
            method="REGISTER",
            uri=f"sip:{REALM}",
        )
        self.responses += re.findall(r'response="(\w+)"', value)
        return value
