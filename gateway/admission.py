"""May this call be set up? Three lists of rules, each read top to bottom; the first answer counts.

A rule answers with a Refusal, with an Admission where the walk ends early, or with None: go on.
Channel and credit are taken together by the last rule, so no answer but yes leaves a trace. Owns
the order of the rules; what each asks is known elsewhere. (R18 to R21, R24, R37, R62, R64, R74,
R101, R121, R122)
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway import caller_id, routing
from gateway.emergency import is_emergency
from gateway.hot_state import HotState
from gateway.model.call import (
    Admission,
    Attempt,
    CallerIdentity,
    CallKind,
    ChannelLease,
    Direction,
    Source,
    SrtpPolicy,
    Target,
)
from gateway.model.carrier import Carrier
from gateway.model.online_number import OnlineNumber
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import SipProfile, Subscription
from gateway.refusal import Refusal, refuse
from gateway.routing import LocalFlow
from rating.credit import first_hold
from rating.e164 import E164
from rating.errors import InvalidNumber, NoRate, RatingError
from rating.ledger import Hold
from rating.tariff import Rate

SECOND_LEASE = "/called"  # ends the lease's name when a profile calls its own number
ECHO_NUMBERS = frozenset({"+17606604690"})


@dataclass(frozen=True, slots=True)
class AdmissionEnv:
    """What the rules need besides hot state: constants of this gateway."""

    realm: str
    local_flow_for: LocalFlow
    echo_numbers: frozenset[str] = ECHO_NUMBERS  # E.164 with "+" (R121)
    countries: frozenset[str] | None = None  # alpha-2 that may be called; None: all with a rate
    in_order: Callable[[tuple[Carrier, ...]], tuple[Carrier, ...]] = tuple  # who is tried first


@dataclass(slots=True)
class _Walk:
    """The question and what the rules have found out so far."""

    attempt: Attempt
    hot: HotState
    env: AdmissionEnv
    profile: SipProfile = field(init=False)  # whose channel is taken
    number: E164 | None = None
    online: OnlineNumber | None = None
    carrier: Carrier | None = None
    account: OnnetAccount | None = None
    rate: Rate | None = None
    targets: tuple[Target, ...] = ()


Verdict = Admission | Refusal | None
Rule = Callable[[_Walk], Verdict]


def admit_outbound(attempt: Attempt, hot: HotState, env: AdmissionEnv) -> Admission | Refusal:
    """A PBX calls."""
    return _decide(OUTBOUND, attempt, hot, env)


def admit_inbound(attempt: Attempt, hot: HotState, env: AdmissionEnv) -> Admission | Refusal:
    """A carrier brings a call to an Online Number."""
    return _decide(INBOUND, attempt, hot, env)


def admit_onnet(attempt: Attempt, hot: HotState, env: AdmissionEnv) -> Admission | Refusal:
    """An on-net account calls a business account by name, or an Online Number."""
    return _decide(ONNET, attempt, hot, env)


def _decide(
    rules: tuple[Rule, ...], attempt: Attempt, hot: HotState, env: AdmissionEnv
) -> Admission | Refusal:
    walk = _Walk(attempt, hot, env)
    verdict: Verdict = None
    for rule in rules:
        verdict = rule(walk)
        if verdict is not None:
            break
    assert verdict is not None, "the last rule always answers"
    return verdict


# Before everything


def _no_emergency(walk: _Walk) -> Verdict:
    """R122: refused first, whatever else is wrong; no channel, no credit."""
    attempt = walk.attempt
    country = ""
    if attempt.source is Source.PROFILE:
        profile = walk.hot.profile_by_id.get(attempt.source_id)
        country = profile.home_country if profile is not None else ""
    if is_emergency(attempt.called, attempt.scheme, country):
        return refuse("EMERGENCY_NOT_OFFERED", attempt.called)
    return None


# Who calls: the profile of a PBX


def _profile_active(walk: _Walk) -> Verdict:
    profile = walk.hot.profile_by_id.get(walk.attempt.source_id)
    if profile is None:
        return refuse("PROFILE_INACTIVE")
    walk.profile = profile
    return None


def _subscription_paid(walk: _Walk) -> Verdict:
    return _subscribed(walk.profile, outside=False)


# What is called


def _no_onnet_name(walk: _Walk) -> Verdict:
    """R21: names are not for PBXs; whether the name exists is not told."""
    called = walk.attempt.called
    if called.removeprefix("+").isdigit() or not any(c.isalpha() for c in called):
        return None
    return refuse("ONNET_NAME_NOT_DIALABLE")


def _read_number(walk: _Walk) -> Verdict:
    """Understand the number if it is one; whether it had to be one is a later rule's."""
    text = walk.attempt.called.partition(";")[0]
    if walk.attempt.scheme == "tel":
        text = text.translate(_TEL_SEPARATORS)
    try:
        walk.number = E164.dialled(text)
    except InvalidNumber:
        walk.number = None
    else:
        walk.online = walk.hot.number_by_e164.get(str(walk.number))
    return None


_TEL_SEPARATORS = str.maketrans("", "", "-.()")  # RFC 3966 §3: visual-separator


def _echo(walk: _Walk) -> Verdict:
    """R74, R121: free, before there is any credit, but on a channel."""
    if walk.number is None or str(walk.number) not in walk.env.echo_numbers:
        return None
    if _full(walk.profile):
        return refuse("CHANNELS_FULL_PBX")
    return _take(walk, CallKind.ECHO, Direction.OUTGOING, caller_id.ANONYMOUS)


def _number_valid(walk: _Walk) -> Verdict:
    """R121: the full international number, nothing shorter is guessed."""
    if walk.number is not None:
        return None
    digits = walk.attempt.called.partition(";")[0].removeprefix("+")
    code = "NOT_INTERNATIONAL" if digits.isdigit() else "INVALID_NUMBER"
    return refuse(code, walk.attempt.called)


def _own_number(walk: _Walk) -> Verdict:
    """R21: a call to a number of ours is routed inside, free, one channel on each profile."""
    if walk.online is None:
        return None
    assert walk.number is not None
    caller = walk.profile
    shown = caller_id.choose(caller, walk.number, walk.hot)
    refusal = _number_in_service(walk) or _called_subscribed(walk) or _pbx_reachable(walk)
    called, walk.profile = walk.profile, caller
    if refusal is not None:
        return refusal
    if _full(caller):
        return refuse("CHANNELS_FULL_PBX")
    # A call from a profile to its own number is an outgoing and an incoming one: two channels.
    if _full(called, taken=1 if called is caller else 0):
        return refuse("CHANNELS_FULL_CALLER")
    return _take(walk, CallKind.ONLINE_NUMBER, Direction.OUTGOING, shown, called)


def _destination_allowed(walk: _Walk) -> Verdict:
    assert walk.number is not None
    countries = walk.env.countries
    if countries is not None and walk.number.country not in countries:
        return refuse("DESTINATION_NOT_ALLOWED", walk.number.country or str(walk.number))
    return None


def _rate_known(walk: _Walk) -> Verdict:
    tariff = walk.hot.tariff
    if tariff is None:
        return refuse("NO_RATE", "no tariff is loaded")
    if tariff.currency != walk.hot.currency_of(walk.profile):
        return refuse("NO_RATE", f"the tariff is in {tariff.currency}")
    assert walk.number is not None
    try:
        walk.rate = tariff.rate_for(walk.number)
    except NoRate:
        return refuse("NO_RATE", str(walk.number))
    return None


def _channel_free(walk: _Walk) -> Verdict:
    return refuse("CHANNELS_FULL_PBX") if _full(walk.profile) else None


def _credit_enough(walk: _Walk) -> Verdict:
    """R64: the first increment is payable, or the carrier never hears of the call."""
    assert walk.rate is not None
    if walk.hot.ledger.available(walk.profile.account) < first_hold(walk.rate):
        return refuse("CREDIT")
    return None


def _carrier_there(walk: _Walk) -> Verdict:
    assert walk.number is not None
    walk.targets = routing.outbound_targets(
        walk.number,
        walk.env.in_order(walk.hot.carriers),
        walk.env.local_flow_for,
        walk.env.realm,
    )
    return None if walk.targets else refuse("NO_CARRIER")


def _take_paid(walk: _Walk) -> Verdict:
    assert walk.number is not None
    shown = caller_id.choose(walk.profile, walk.number, walk.hot)
    return _take(walk, CallKind.PSTN, Direction.OUTGOING, shown)


# A carrier or an on-net account calls


def _carrier_known(walk: _Walk) -> Verdict:
    walk.carrier = walk.hot.carrier_by_id.get(walk.attempt.source_id)
    return None if walk.carrier is not None else refuse("NO_SUCH_NUMBER")


def _number_ours(walk: _Walk) -> Verdict:
    return None if walk.online is not None else refuse("NO_SUCH_NUMBER", walk.attempt.called)


def _number_in_service(walk: _Walk) -> Refusal | None:
    """R110: a clear failure; finds the profile that the number rings."""
    online = walk.online
    assert online is not None
    if online.suspended:
        return refuse("NUMBER_SUSPENDED", online.number)
    if online.profile_id is None or online.profile_id not in walk.hot.profile_by_id:
        return refuse("NUMBER_NOT_ASSIGNED", online.number)
    walk.profile = walk.hot.profile_by_id[online.profile_id]
    return None


def _account_or_number(walk: _Walk) -> Verdict:
    """R94, R102: a business account by name, or any Online Number."""
    if walk.online is not None:
        return _number_in_service(walk)
    host = walk.attempt.called_host.lower()
    if any(c.isalpha() for c in host) and ":" not in host and host not in walk.hot.realms:
        return refuse("UNKNOWN_REALM", host)
    account = walk.hot.onnet(walk.attempt.called)
    if account is None or account.profile_id is None:
        return refuse("NO_SUCH_ACCOUNT", walk.attempt.called)
    profile = walk.hot.profile_by_id.get(account.profile_id)
    if profile is None:
        return refuse("NO_SUCH_ACCOUNT", walk.attempt.called)
    walk.account, walk.profile = account, profile
    return None


def _called_subscribed(walk: _Walk) -> Refusal | None:
    return _subscribed(walk.profile, outside=True)


def _pbx_reachable(walk: _Walk) -> Refusal | None:
    """R80, R101: the number stands in the request line; for a name its extension, or the name."""
    called: E164 | str
    if walk.account is not None:
        called = walk.account.extension or walk.account.name
    else:
        assert walk.number is not None
        called = walk.number
    walk.targets = routing.inbound_targets(
        walk.profile,
        called,
        walk.hot.location,
        walk.env.local_flow_for,
        walk.env.realm,
        walk.attempt.now,
    )
    return None if walk.targets else refuse("PBX_NOT_REACHABLE")


def _called_channel_free(walk: _Walk) -> Verdict:
    return refuse("CHANNELS_FULL_CALLER") if _full(walk.profile) else None


def _take_inbound(walk: _Walk) -> Verdict:
    shown = caller_id.inbound(walk.attempt.caller)
    return _take(walk, CallKind.ONLINE_NUMBER, Direction.INCOMING, shown)


def _take_onnet(walk: _Walk) -> Verdict:
    caller = walk.hot.onnet_by_id.get(walk.attempt.source_id)
    shown = caller_id.onnet(caller.name) if caller is not None else caller_id.ANONYMOUS
    return _take(walk, CallKind.ONNET, Direction.INCOMING, shown)


OUTBOUND: tuple[Rule, ...] = (
    _no_emergency,
    _profile_active,
    _subscription_paid,
    _no_onnet_name,
    _read_number,
    _echo,
    _number_valid,
    _own_number,
    _destination_allowed,
    _rate_known,
    _channel_free,
    _credit_enough,
    _carrier_there,
    _take_paid,
)

INBOUND: tuple[Rule, ...] = (
    _carrier_known,
    _read_number,
    _number_ours,
    _number_in_service,
    _called_subscribed,
    _pbx_reachable,
    _called_channel_free,
    _take_inbound,
)

ONNET: tuple[Rule, ...] = (
    _no_emergency,
    _read_number,
    _account_or_number,
    _called_subscribed,
    _pbx_reachable,
    _called_channel_free,
    _take_onnet,
)


# What the rules share


def _subscribed(profile: SipProfile, *, outside: bool) -> Refusal | None:
    """R18, R31: without channels nothing goes either way, the echo test included."""
    if profile.subscription is Subscription.LAPSED:
        return refuse("SUBSCRIPTION_LAPSED", outside=outside)
    if profile.subscription is not Subscription.ACTIVE or profile.channels == 0:
        return refuse("NO_SUBSCRIPTION", outside=outside)
    return None


def _full(profile: SipProfile, taken: int = 0) -> bool:
    return len(profile.leases) + taken >= profile.channels


def _take(
    walk: _Walk,
    kind: CallKind,
    direction: Direction,
    shown: CallerIdentity,
    called_profile: SipProfile | None = None,
) -> Admission | Refusal:
    """Channel and credit together; when the credit is refused the channel is given back."""
    attempt, profile = walk.attempt, walk.profile
    lease = profile.lease(attempt.call_id, direction, attempt.at)
    assert lease is not None, "a rule above found a free channel, and nothing ran since"
    also: tuple[ChannelLease, ...] = ()
    if called_profile is not None:
        also = (_second_lease(attempt, profile, called_profile),)
    try:
        hold = _hold(walk)
    except RatingError as error:
        # Only a change of the Manager's currency gets here: what could be paid was asked above.
        profile.release(lease.call_id)
        return refuse("CREDIT", str(error))
    return Admission(
        call_id=attempt.call_id,
        kind=kind,
        profile_id=profile.id,
        direction=direction,
        lease=lease,
        caller=shown,
        called=str(walk.number) if walk.number is not None else attempt.called,
        targets=walk.targets,
        a_srtp=walk.carrier.srtp if walk.carrier is not None else _a_srtp(walk),
        hold=hold,
        rate=walk.rate,
        also_leases=also,
    )


def _second_lease(attempt: Attempt, caller: SipProfile, called: SipProfile) -> ChannelLease:
    """The called profile's channel; under a name of its own when both are one profile."""
    name = f"{attempt.call_id}{SECOND_LEASE}" if called is caller else attempt.call_id
    lease = called.lease(name, Direction.INCOMING, attempt.at)
    assert lease is not None, "a rule above found a free channel, and nothing ran since"
    return lease


def _hold(walk: _Walk) -> Hold | None:
    """Reserve the first increment; None for what costs nothing."""
    if walk.rate is None:
        return None
    micros = first_hold(walk.rate)
    if micros == 0:
        return None
    currency = walk.hot.currency_of(walk.profile)
    return walk.hot.ledger.hold(walk.attempt.call_id, walk.profile.account, micros, currency)


def _a_srtp(walk: _Walk) -> SrtpPolicy:
    """Leg A is the PBX's own, or that of an on-net account, which may choose."""
    if walk.attempt.source is Source.PROFILE:
        return walk.profile.srtp
    return SrtpPolicy.OPTIONAL
