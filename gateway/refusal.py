"""Owns `Refusal` and the one table code -> SIP status, reason phrase, Q.850 cause and sentence.

A code is stable: logs, CDRs, the explain page and customers' scripts know it. How a refusal shows
on the wire is decided here too: the status line, `Reason: Q.850` with the code as its text
(RFC 3326, RFC 6432) and `Warning: 399` with the code and the sentence (RFC 3261 §20.43). There is
no `Reason: SIP` beside it: in a final response it could only repeat the status line.
Decides nothing about who is refused. (R18, R37, R64, R122)
"""

from dataclasses import dataclass
from typing import Final

MAX_DETAIL = 120  # characters; a refusal must never be what makes a UDP response too big

WARN_AGENT: Final = "sipgw"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and why. `sentence` is for people and says what to do; `detail` is this case's own."""

    code: str
    status: int
    reason: str
    sentence: str
    q850: int
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.status} {self.sentence}" + (
            f" ({self.detail})" * bool(self.detail)
        )


@dataclass(frozen=True, slots=True)
class Template:
    """One row of the table; callers who are not the PBX are told `outside_status` if it is set."""

    status: int
    reason: str
    q850: int
    sentence: str
    outside_status: int = 0


# Q.850 causes used: 1 unallocated number, 3 no route to destination, 17 user busy, 20 subscriber
# absent, 21 call rejected, 28 invalid number format, 31 normal, 34 no circuit available, 38 network
# out of order, 41 temporary failure, 42 switching congestion, 47 resource unavailable, 50 facility
# not subscribed, 57 bearer capability not authorised, 88 incompatible destination, 95 invalid
# message, 97 message type not implemented, 102 recovery on timer expiry.
REFUSALS: Final[dict[str, Template]] = {
    # Who is asking
    "WRONG_SOURCE": Template(
        403,
        "Wrong Source Address",
        57,
        "This SIP Profile uses IP authentication and the request came from another address: send "
        "from the configured address and port, or switch the profile to registration.",
    ),
    "NOT_REGISTRATION_MODE": Template(
        403,
        "Profile Uses IP Authentication",
        57,
        "This SIP Profile uses IP authentication and needs no registration: switch registration "
        "off in the PBX, or switch the profile to registration.",
    ),
    "ATTACHED_TO_PROFILE": Template(
        403,
        "Account Attached To A SIP Profile",
        57,
        "This account is a business account of a SIP Profile and cannot sign in: remove it from "
        "the profile first.",
    ),
    "REQUIRE_TLS": Template(
        403,
        "TLS Required",
        57,
        "This SIP Profile accepts TLS only: set the PBX's transport to TLS.",
    ),
    "BANNED": Template(
        403,
        "Too Many Wrong Passwords",
        21,
        "Too many wrong passwords came from this address, and it gets no answers for a while: "
        "correct the PBX's user name and password, then wait or ask the operator to lift the ban.",
    ),
    "UNKNOWN_REALM": Template(
        404,
        "Unknown Realm",
        1,
        "This gateway does not serve the domain in the request: use the realm shown with the "
        "profile's authentication details.",
    ),
    # The profile
    "NO_SUBSCRIPTION": Template(
        403,
        "No Channel Subscription",
        50,
        "The SIP Profile has no channel subscription: buy one to activate the profile.",
        outside_status=480,
    ),
    "SUBSCRIPTION_LAPSED": Template(
        403,
        "Channel Subscription Lapsed",
        50,
        "The SIP Profile's channel subscription could not be renewed: add credit to the Manager's "
        "balance.",
        outside_status=480,
    ),
    "PROFILE_INACTIVE": Template(
        403,
        "SIP Profile Not Active",
        50,
        "The SIP Profile is not active: look at its state in the Manager.",
        outside_status=480,
    ),
    # The number called
    "EMERGENCY_NOT_OFFERED": Template(
        # Asterisk and FreePBX take the next trunk after 503 (HANGUPCAUSE 34/38/42, CHANUNAVAIL or
        # CONGESTION); a 403 or 404 would end the attempt at the PBX (R122).
        503,
        "Emergency Calls Not Offered",
        38,
        "Emergency calls are not offered on this trunk: hang up and dial from another line, and "
        "give the PBX an emergency route that does not use this trunk.",
    ),
    "ONNET_NAME_NOT_DIALABLE": Template(
        404,
        "Account Names Not Dialable",
        1,
        "Account names cannot be called from a PBX: dial the account's Online Number.",
    ),
    "NO_SUCH_ACCOUNT": Template(
        404,
        "No Such Business Account",
        1,
        "No business account or Online Number answers to this name: check the spelling.",
    ),
    "NOT_INTERNATIONAL": Template(
        484,
        "Not An International Number",
        28,
        "Dial the full international number with its country code, with or without + or 00: "
        "nothing shorter is guessed.",
    ),
    "INVALID_NUMBER": Template(
        484,
        "Invalid Number",
        28,
        "This is not a telephone number: dial digits of a full international number.",
    ),
    "NO_SUCH_NUMBER": Template(
        404,
        "No Such Number",
        1,
        "This number is not in service on this gateway: check the number's routing.",
    ),
    "NUMBER_NOT_ASSIGNED": Template(
        404,
        "Number Not Assigned",
        1,
        "This Online Number is not assigned to a SIP Profile: add it to one in the Manager.",
    ),
    "NUMBER_SUSPENDED": Template(
        480,
        "Number Suspended",
        20,
        "This Online Number is suspended: the Manager shows the reason.",
    ),
    "DESTINATION_NOT_ALLOWED": Template(
        403,
        "Destination Not Allowed",
        21,
        "Calls to this country are not allowed: ask the operator to open the destination.",
    ),
    "NO_RATE": Template(
        404,
        "No Rate For Destination",
        3,
        "No rate is known for this number: ask the operator to add the destination to the tariff.",
    ),
    # Channels and money
    "CHANNELS_FULL_PBX": Template(
        # No Retry-After with it: the PBX shall try its next trunk at once (R37).
        503,
        "All Channels In Use",
        34,
        "All channels of the SIP Profile are in use: wait for a call to end or buy more channels.",
    ),
    "CHANNELS_FULL_CALLER": Template(
        486, "Busy Here", 17, "All channels of the called SIP Profile are in use: try again later."
    ),
    "CREDIT": Template(
        # RFC 3261 §21.4.3 reserves 402 for future use.
        403,
        "Not Enough Credit",
        21,
        "The SIP Profile's credit cannot pay the first 30 seconds: add credit to the profile.",
    ),
    "CREDIT_MANAGER": Template(
        403,
        "Not Enough Manager Credit",
        21,
        "The minute bundle is used up and the Manager's balance cannot pay the call: add credit "
        "to the Manager's balance.",
    ),
    # The way there
    "NO_CARRIER": Template(
        503,
        "No Carrier Available",
        34,
        "No carrier is configured or enabled for this call: the operator must add one.",
    ),
    "CARRIERS_FULL": Template(
        503,
        "Carriers Full",
        34,
        "Every carrier left to try is at its limit of calls: try again in a moment.",
    ),
    "PBX_NOT_REACHABLE": Template(
        480,
        "PBX Not Reachable",
        20,
        "The PBX of the called number is not registered: check its registration.",
    ),
    "MEDIA_EXHAUSTED": Template(
        503,
        "No Media Ports",
        47,
        "The gateway has no free media ports: the operator must widen the port range.",
    ),
    "MEDIA_NOT_ACCEPTABLE": Template(
        488,
        "Media Not Acceptable",
        88,
        "The media description cannot be used: offer at least one audio stream with RTP.",
    ),
    "SRTP_REQUIRED": Template(
        488,
        "SRTP Required",
        88,
        "This SIP Profile accepts encrypted media only: switch SRTP (SDES) on in the PBX.",
    ),
    "STORE_UNAVAILABLE": Template(
        503,
        "Database Not Available",
        41,
        "The gateway cannot write to its database and takes no new calls: try again shortly.",
    ),
    "NO_ANSWER": Template(
        480, "No Answer", 18, "The called side rang and nobody answered: try again later."
    ),
    "CALLED_GONE": Template(
        480, "Called Side Gone", 27, "The called side hung up while the call was being set up."
    ),
    # The request itself
    "INTERVAL_TOO_BRIEF": Template(
        423,
        "Interval Too Brief",
        102,
        "The registration asks for less than the shortest allowed time: ask for Min-Expires at "
        "least.",
    ),
    "NOT_YOUR_ADDRESS": Template(
        403,
        "Not Your Address",
        57,
        "The To of a REGISTER must name the account that signs in: register the SIP username "
        "itself.",
    ),
    "ALREADY_REGISTERED": Template(
        403,
        "Already Registered Elsewhere",
        21,
        "Another PBX is registered with these credentials: give each PBX a SIP Profile of its own.",
    ),
    "OUT_OF_ORDER": Template(
        400,
        "Out Of Order",
        95,
        "A newer REGISTER of the same Call-ID has been seen: raise the CSeq with each request.",
    ),
    "TOO_MANY_BINDINGS": Template(
        403,
        "Too Many Contacts",
        21,
        "More contacts are registered than allowed: let the PBX register one contact.",
    ),
    "BAD_CONTACT": Template(
        400, "Bad Contact", 95, "The Contact cannot be used: it must be a SIP URI with a host."
    ),
    "BAD_REQUEST": Template(
        400, "Bad Request", 95, "The request contradicts itself or lacks a field."
    ),
    "METHOD_NOT_ALLOWED": Template(
        405, "Method Not Allowed", 97, "This method is not offered: see the Allow header."
    ),
    # The gateway itself
    "SHUTTING_DOWN": Template(
        503, "Shutting Down", 41, "The gateway is being stopped and takes no new calls."
    ),
    "ENDED_BY_OPERATOR": Template(
        480, "Ended By Operator", 31, "The operator ended this call before it was answered."
    ),
    "CALLS_FULL": Template(
        503, "Too Many Calls", 42, "The gateway runs as many calls as it may: try again shortly."
    ),
    "INTERNAL": Template(
        500, "Internal Error", 41, "The gateway failed at this request: its log names the cause."
    ),
}


def refuse(code: str, detail: str = "", *, outside: bool = False) -> Refusal:
    """Build the refusal of a code; `outside` when it is told to a caller who is not the PBX."""
    row = REFUSALS[code]
    status = (row.outside_status if outside else 0) or row.status
    return Refusal(code, status, row.reason, row.sentence, row.q850, detail)


def headers(refusal: Refusal) -> list[tuple[str, str]]:
    """The header fields by which a refusal explains itself on the wire."""
    text = f"{refusal.code} {refusal.sentence}"
    if refusal.detail:
        text += f" ({refusal.detail[:MAX_DETAIL]})"
    return [
        ("Reason", f"Q.850;cause={refusal.q850};text={_quoted(refusal.code)}"),
        ("Warning", f"399 {WARN_AGENT} {_quoted(text)}"),
    ]


def _quoted(text: str) -> str:
    """A quoted-string (RFC 3261 §25.1); peers supply details, so nothing may break the line."""
    clean = "".join(c if " " <= c <= "~" else "?" for c in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
