"""Owns the second try of a challenged request (RFC 3261 §22.2, §22.3), not the digest itself."""

from sip.digest import answer_challenge
from sip.ids import Ids
from sip.message import Request, Response

CNONCE_OCTETS = 8


def authorised(
    request: Request, response: Response, credentials: tuple[str, str] | None, cseq: int, ids: Ids
) -> Request | None:
    """The request with an answer to its 401/407; None when there is nothing to answer with."""
    if credentials is None or response.status not in (401, 407):
        return None
    username, password = credentials
    header = answer_challenge(
        response.challenges,
        username,
        password,
        method=request.method,
        uri=request.uri,
        cnonce=ids.token(CNONCE_OCTETS),
        nc=1,
        body=request.body,
    )
    if header is None:
        return None
    name, value = header
    headers = request.headers
    if headers.get(name) is not None:
        return None  # refused with a nonce fresh from the challenge: the password is wrong
    # §22.2: same Call-ID, From and To; the CSeq is one higher and the branch new.
    headers = headers.with_field("Via", "").with_field("CSeq", f"{cseq} {request.method}")
    return request.with_headers(headers.with_field(name, value))
