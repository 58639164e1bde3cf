"""SDP bodies and whole negotiations for the offer/answer tests."""

from base64 import b64encode
from itertools import count

from media.plane import MediaOpened, Side
from media.sdp.crypto import SHA1_32, SHA1_80
from media.sdp.offer_answer import RelayNegotiation, SidePolicy
from media.sdp.parser import parse_sdp

HEAD = "v=0\r\no=pbx 7 7 IN IP4 10.0.0.1\r\ns=call\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
NONE = SidePolicy("none")
OPTIONAL = SidePolicy("optional")
OFFERING = SidePolicy("optional", offer_srtp=True)
REQUIRED = SidePolicy("required")


def sdp(*media: str, host: str = "10.0.0.1") -> bytes:
    return (HEAD.format(host=host) + "".join(f"{line}\r\n" for line in media)).encode()


def crypto(tag: int, suite: str, octet: int) -> str:
    return f"a=crypto:{tag} {suite} inline:{b64encode(bytes([octet]) * 30).decode()}"


def counting_octets():
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


def negotiation(policy_a=OPTIONAL, policy_b=NONE, streams=1, families=(4, 4)):
    made = RelayNegotiation(policy_a, policy_b, counting_octets(), session_name="gw", username="gw")
    hosts = {4: ("198.51.100.1", "198.51.100.2"), 6: ("2001:db8::a", "2001:db8::b")}
    opened = MediaOpened(
        tuple((hosts[families[0]][0], 20000 + 2 * each) for each in range(streams)),
        tuple((hosts[families[1]][1], 30000 + 2 * each) for each in range(streams)),
    )
    return made, opened


def crossed(offer: bytes, answer: bytes, policy_a=OPTIONAL, policy_b=NONE, streams=1):
    """One whole initial offer/answer from A to B: the negotiation and the body for each side."""
    made, opened = negotiation(policy_a, policy_b, streams)
    assert made.receive_offer(Side.A, offer) == streams
    made.set_local(opened)
    to_b = made.offer_for(Side.B)
    made.receive_answer(Side.B, answer)
    return made, to_b, made.answer_for(Side.A)


def lines(body: bytes) -> list[str]:
    return body.decode().split("\r\n")[:-1]


PLAIN = sdp("m=audio 4000 RTP/AVP 0 97 101", "a=rtpmap:97 opus/48000/2", "a=ptime:20", "a=X-y:z")
ANSWER = sdp("m=audio 5000 RTP/AVP 0", host="203.0.113.9")


SECURE = ["m=audio 4000 RTP/SAVP 0", crypto(1, SHA1_80, 1), crypto(2, SHA1_32, 2)]


def version(body: bytes) -> int:
    return int(parse_sdp(body).lines[1].value.split()[2])


def session_id(body: bytes) -> str:
    return parse_sdp(body).lines[1].value.split()[1]


def reoffered(made, side, offer, answer):
    made.receive_offer(side, offer)
    to_other = made.offer_for(side.other)
    made.receive_answer(side.other, answer)
    return to_other, made.answer_for(side)
