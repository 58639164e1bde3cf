"""Owns where a call goes: a number outward to the carriers, inward to a PBX (R80, R101, R109).

Only emits targets in hunting order; which of them is tried when is `b2bua/hunt`'s, whether the
call may be made at all is `admission`'s.
"""

from collections.abc import Callable, Iterable

from gateway.location import Location
from gateway.model.binding import Binding, Flow, Owner
from gateway.model.call import Dialect, Target
from gateway.model.carrier import Carrier
from gateway.model.profile import AuthMode, SipProfile
from rating.e164 import E164
from sip.uri import bracketed, escape_user

LocalFlow = Callable[[str, str], tuple[str, int]]  # transport, remote host -> our bound address


def outbound_targets(
    called: E164, carriers: Iterable[Carrier], local_flow_for: LocalFlow, realm: str
) -> tuple[Target, ...]:
    """One target for each carrier, in the order given."""
    return tuple(_carrier_target(called, carrier, local_flow_for, realm) for carrier in carriers)


def inbound_targets(
    profile: SipProfile,
    called: E164 | str,
    location: Location,
    local_flow_for: LocalFlow,
    realm: str,
    now: float,
) -> tuple[Target, ...]:
    """The PBX of a profile. `called` is the number, or the extension or name of an account."""
    user = _user(called, profile.dialect)
    if profile.mode is AuthMode.IP:
        target = _fixed_target(profile, user, local_flow_for, realm)
        return (target,) if target else ()
    bindings = location.lookup(Owner.PROFILE, profile.id, now)
    return tuple(_binding_target(profile, binding, user, realm) for binding in bindings)


def _carrier_target(
    called: E164, carrier: Carrier, local_flow_for: LocalFlow, realm: str
) -> Target:
    user = str(called) if carrier.plus else called.digits
    flow = carrier_flow(carrier, local_flow_for)
    return Target(
        label=f"carrier:{carrier.name}",
        uri=_uri(user, flow),
        to_user=user,
        flow=flow,
        realm=realm,
        dialect=Dialect.MODERN,
        srtp=carrier.srtp,
        trusted=True,
        carrier_id=carrier.id,
        username=carrier.username or None,
        password=carrier.password or None,
        response_s=carrier.response_timeout_s,
    )


def carrier_flow(carrier: Carrier, local_flow_for: LocalFlow) -> Flow:
    """The way to a carrier."""
    local = local_flow_for(carrier.transport, carrier.host)
    return Flow(carrier.transport, local, (carrier.host, carrier.port))


def _fixed_target(
    profile: SipProfile, user: str, local_flow_for: LocalFlow, realm: str
) -> Target | None:
    """Host and port as configured (R80)."""
    if profile.address is None:
        return None
    host, _ = profile.address
    flow = Flow(profile.transport, local_flow_for(profile.transport, host), profile.address)
    return Target(
        label=f"address:{bracketed(host)}:{profile.address[1]}",
        uri=_uri(user, flow),
        to_user=user,
        flow=flow,
        realm=realm,
        dialect=profile.dialect,
        srtp=profile.srtp,
        trusted=False,
    )


def _binding_target(profile: SipProfile, binding: Binding, user: str, realm: str) -> Target:
    return Target(
        label=f"binding:{binding.contact}",
        uri=readdress(binding.contact, user),
        to_user=user,
        flow=binding.flow,
        realm=realm,
        dialect=profile.dialect,
        srtp=profile.srtp,
        trusted=False,
    )


def readdress(contact: str, user: str) -> str:
    """The Contact URI with another user; host, port and parameters byte for byte (R109).

    Asterisk knows its trunk by the `line=` parameter it registered, others by `rinstance=`.
    """
    scheme, _, rest = contact.partition(":")
    # An "@" in a parameter is escaped (RFC 3261 §25.1), so the first one ends the user part.
    before, at, after = rest.partition("@")
    place = after if at else before
    # RFC 3261 §19.1.1: header components have no place in a request line.
    return f"{scheme}:{user}@{place.partition('?')[0]}"


def _user(called: E164 | str, dialect: Dialect) -> str:
    if isinstance(called, E164):
        return called.digits if dialect is Dialect.CLASSIC else str(called)
    return escape_user(called)


def _uri(user: str, flow: Flow) -> str:
    host, port = flow.remote
    transport = "" if flow.transport == "udp" else f";transport={flow.transport}"
    return f"sip:{user}@{bracketed(host)}:{port}{transport}"
