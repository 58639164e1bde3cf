"""Owns the matching of messages to transactions (RFC 3261 §17.1.3, §17.2.3, §9.2).

Keys are plain strings, so that the tables are cheap. A request without the magic cookie is matched
by the old rules of RFC 2543, less the To tag, which tells nothing the CSeq does not.
"""

from sip.message import Request, Response

MAGIC_COOKIE = "z9hG4bK"


def client_key(response: Response) -> str:
    """§17.1.3: our own branch and the CSeq method."""
    return response.via.branch + response.cseq.method


def server_key(request: Request) -> str:
    """§17.2.3: branch, sent-by and method; the method of an ACK counts as INVITE."""
    method = request.method
    return _peer_part(request) + ("INVITE" if method == "ACK" else method)


def cancelled_key(cancel: Request) -> str:
    """§9.2: the INVITE transaction that this CANCEL would match were its method INVITE."""
    return _peer_part(cancel) + "INVITE"


def merge_key(request: Request) -> str:
    """§8.2.2.2: what a request that reaches us twice by different paths has in common."""
    return f"{request.call_id} {request.from_.tag} {request.cseq.number}"


def _peer_part(request: Request) -> str:
    via = request.via
    branch = via.branch
    if branch.startswith(MAGIC_COOKIE):
        return f"{branch} {via.host} {via.port} "
    return (
        f"2543 {request.uri} {request.from_.tag} {request.call_id} {request.cseq.number} "
        f"{via.host} {via.port} {branch} "
    )
