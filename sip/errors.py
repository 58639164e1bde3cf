"""Owns the two protocol errors of the stack, ours and the peer's: all that `sip` ever raises."""


class SipError(Exception):
    """Base of every error of the SIP core."""


class LocalProtocolError(SipError):
    """We asked for something the protocol forbids (a header value with a line break, for one)."""


class RemoteProtocolError(SipError):
    """The peer sent something malformed.

    `status_hint` is the status to refuse it with. `request` is the `sip.message.Request` itself
    when enough of it was readable to address a response, else None. It is typed `object` because
    messages live above this module: narrow it with `isinstance`.
    """

    def __init__(self, message: str, status_hint: int = 400, request: object | None = None) -> None:
        super().__init__(message)
        self.status_hint = status_hint
        self.request = request
