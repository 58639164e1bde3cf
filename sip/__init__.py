"""SIP without IO (RFC 3261): the façade with the names other packages may use."""

from sip.errors import LocalProtocolError, RemoteProtocolError, SipError
from sip.fields.address import NameAddr
from sip.fields.via import Via
from sip.flow import Flow
from sip.headers import Headers
from sip.message import Request, Response, response_to
from sip.parser import Limits, parse_message
from sip.timers import SipTimers
from sip.uri import Uri

__all__ = [
    "Flow",
    "Headers",
    "Limits",
    "LocalProtocolError",
    "NameAddr",
    "RemoteProtocolError",
    "Request",
    "Response",
    "SipError",
    "SipTimers",
    "Uri",
    "Via",
    "parse_message",
    "response_to",
]
