"""Owns which caller is shown: the profile's own choice outward, the carrier's word inward.

The PBX's own From is never believed (R112); without a choice the call is anonymous (R111). How an
identity is written into header fields is `b2bua/crossing`'s (RFC 3323, RFC 3325).
"""

from functools import lru_cache

from gateway.hot_state import HotState
from gateway.model.call import CallerIdentity
from gateway.model.profile import SipProfile
from rating.e164 import E164
from rating.errors import InvalidNumber

ANONYMOUS = CallerIdentity(None)


def choose(profile: SipProfile, called: E164, hot: HotState) -> CallerIdentity:
    """The identity of an outgoing call: by called country, else the profile's default (R113)."""
    wanted = profile.caller_id_by_country.get(called.country, profile.caller_id)
    if wanted and _may_present(profile, wanted, hot):
        return CallerIdentity(number=_parsed(wanted))
    for own in hot.numbers_of(profile.id):
        if not own.suspended:
            # R111c: withheld from the called party, still told to a trusted carrier.
            return CallerIdentity(None, network_number=_parsed(own.number))
    return ANONYMOUS


def inbound(claimed: str) -> CallerIdentity:
    """The identity of a call from the telephone network: a full number, or anonymous."""
    number = _parsed(claimed)
    return CallerIdentity(number) if number else ANONYMOUS


def onnet(name: str) -> CallerIdentity:
    """The identity of a call from an on-net account: its name (R109)."""
    return CallerIdentity(None, onnet_name=name)


def _may_present(profile: SipProfile, wanted: str, hot: HotState) -> bool:
    """An Online Number must still be this profile's and in service (R117)."""
    online = hot.number_by_e164.get(wanted)
    if online is None:
        return _parsed(wanted) is not None  # a company landline
    return online.profile_id == profile.id and not online.suspended


@lru_cache(maxsize=16_384)
def _parsed(text: str) -> E164 | None:
    try:
        return E164.dialled(text.partition(";")[0])
    except InvalidNumber:
        return None
