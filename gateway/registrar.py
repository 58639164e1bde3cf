"""Owns what a REGISTER does to the bindings of its AOR (RFC 3261 §10.3; R13, R14, R81).

A pure function of the request and the bindings there are: it changes nothing. Who may register is
`identify`'s, where bindings live is `location`'s.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from gateway.hot_state import literal
from gateway.model.binding import Binding, Flow, Owner
from gateway.refusal import Refusal, refuse
from sip.errors import SipError
from sip.fields.address import NameAddr
from sip.fields.cseq import parse_delta_seconds
from sip.message import Request
from sip.uri import Uri

_DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
_FULL_Q = 1000


@dataclass(frozen=True, slots=True)
class RegistrarLimits:
    """How long and how many. Behind NAT the short interval keeps the mapping open (R81)."""

    min_expires_s: int = 30
    nat_expires_s: int = 45
    default_expires_s: int = 3600
    max_bindings: int = 5
    refuse_second: bool = False  # R13: refuse another PBX instead of letting the newest win


@dataclass(frozen=True, slots=True)
class Registration:
    """What to save, what to remove, what to answer."""

    saved: tuple[Binding, ...]
    removed: tuple[Binding, ...]
    status: int
    headers: list[tuple[str, str]]
    unchanged: bool = False  # only expiry and sequence moved: the write can wait for a batch
    replaced_alert: bool = False  # a second PBX took the first one's place (R13)


def process(
    request: Request,
    owner: Owner,
    owner_id: int,
    username: str,
    bindings: list[Binding],
    flow: Flow,
    now: float,
    at: datetime,
    limits: RegistrarLimits,
    signed_with: str = "",
) -> Registration | Refusal:
    """Steps 4 to 8 of §10.3; `bindings` are the AOR's that have not lapsed at `now`.

    Extensions (step 2) were asked about by the SIP core, who (step 3) by `identify`.
    """
    refusal = _may_proceed(request, owner, username)
    if refusal is not None:
        return refusal
    try:
        texts = request.headers.values("Contact")
        if "*" in texts:
            return _remove_all(request, texts, bindings)
        contacts = request.contacts
    except SipError as error:
        return refuse("BAD_CONTACT", str(error))
    register = _Register(request, owner, owner_id, flow, now, at, limits, signed_with)
    return register.decide(contacts, bindings)


def refusal_headers(refusal: Refusal, limits: RegistrarLimits) -> list[tuple[str, str]]:
    """Fields that some refusals must carry besides their explanation."""
    if refusal.code == "INTERVAL_TOO_BRIEF":
        return [("Min-Expires", str(limits.min_expires_s))]  # RFC 3261 §10.3 step 7
    return []


def _may_proceed(request: Request, owner: Owner, username: str) -> Refusal | None:
    named = request.to.uri.username
    # RFC 3261 §10.3 step 4: who is authenticated may change its own AOR only.
    if named != username and (owner is Owner.PROFILE or named.casefold() != username.casefold()):
        return refuse("NOT_YOUR_ADDRESS", named)
    return None


def _remove_all(
    request: Request, texts: list[str], bindings: list[Binding]
) -> Registration | Refusal:
    # RFC 3261 §10.3 step 6: "*" stands alone and with Expires 0, or the request is invalid.
    if len(texts) > 1 or request.expires != 0:
        return refuse("BAD_CONTACT", "* needs Expires: 0 and no other Contact")
    for binding in bindings:
        if _is_late(request, binding):
            return refuse("OUT_OF_ORDER")
    return Registration((), tuple(bindings), 200, [])


def _is_late(request: Request, binding: Binding) -> bool:
    """RFC 3261 §10.3 steps 6 and 7: within a Call-ID only a higher CSeq may change a binding."""
    return request.call_id == binding.sip_call_id and request.cseq.number <= binding.cseq


class _Register:
    """One REGISTER with its Contacts: what it would leave behind."""

    __slots__ = (
        "_at",
        "_flow",
        "_limits",
        "_now",
        "_owner",
        "_owner_id",
        "_request",
        "_signed_with",
    )

    def __init__(
        self,
        request: Request,
        owner: Owner,
        owner_id: int,
        flow: Flow,
        now: float,
        at: datetime,
        limits: RegistrarLimits,
        signed_with: str,
    ) -> None:
        self._request = request
        self._owner = owner
        self._owner_id = owner_id
        self._flow = flow
        self._now = now
        self._at = at
        self._limits = limits
        self._signed_with = signed_with

    def decide(self, contacts: list[NameAddr], bindings: list[Binding]) -> Registration | Refusal:
        saved: list[Binding] = []
        removed: list[Binding] = []
        refreshed = True
        for contact in contacts:
            if not contact.uri.is_sip or not contact.uri.host:
                return refuse("BAD_CONTACT", str(contact.uri))
            nat = self._behind_nat(contact.uri)
            granted_s = self._granted_s(contact, nat)
            if isinstance(granted_s, Refusal):
                return granted_s
            old = _same_contact(bindings, contact.uri)
            if old is not None and _is_late(self._request, old):
                return refuse("OUT_OF_ORDER")
            if granted_s == 0:
                if old is not None:
                    removed.append(old)
                continue
            new = self._binding(contact, granted_s, nat)
            saved.append(new)
            if old is None or not _only_later(old, new):
                refreshed = False
            if old is not None and old.contact != new.contact:
                removed.append(old)  # equivalent, but written otherwise: the key changes
        if len(saved) > self._limits.max_bindings:
            return refuse("TOO_MANY_BINDINGS", f"{len(saved)} contacts")
        return self._finish(saved, removed, bindings, refreshed)

    def _finish(
        self,
        saved: list[Binding],
        removed: list[Binding],
        bindings: list[Binding],
        refreshed: bool,
    ) -> Registration | Refusal:
        """Let the newest PBX win (R13) and list what remains (§10.3 step 8)."""
        settled = {b.contact for b in saved} | {b.contact for b in removed}
        others = [b for b in bindings if b.contact not in settled]
        alert = False
        if saved:
            instances = {b.instance for b in saved if b.instance}
            rivals = [b for b in others if b.instance not in instances]
            alert = any(self._is_another_pbx(b) for b in rivals)
            if alert and self._limits.refuse_second:
                return refuse("ALREADY_REGISTERED")
            others = [b for b in others if b.instance in instances]
            # One PBX that came back under new contacts again and again: its oldest ones go.
            room = self._limits.max_bindings - len(saved)
            removed += rivals + others[room:]
            others = others[:room]
        remaining = sorted([*saved, *others], key=lambda b: -b.q)
        headers = [("Contact", _listed(b, self._now)) for b in remaining]
        unchanged = bool(saved) and refreshed and not removed
        return Registration(tuple(saved), tuple(removed), 200, headers, unchanged, alert)

    def _granted_s(self, contact: NameAddr, nat: bool) -> int | Refusal:
        """Seconds the binding gets: less than the ceiling if the PBX asks for less (R81)."""
        limits = self._limits
        ceiling_s = limits.nat_expires_s if nat else limits.default_expires_s
        text = contact.param("expires")
        # RFC 3261 §10.2.1.1: the parameter wins over the header, a malformed one is as none.
        asked_s = self._request.expires if text is None else parse_delta_seconds(text)
        if asked_s is None:
            return ceiling_s
        if 0 < asked_s < limits.min_expires_s:
            return refuse(
                "INTERVAL_TOO_BRIEF", f"{asked_s} s asked, {limits.min_expires_s} s least"
            )
        return min(asked_s, ceiling_s)

    def _behind_nat(self, contact: Uri) -> bool:
        """R81: the source differs from Contact or Via; over streams only addresses count."""
        via = self._request.via
        transport, _, (host, port) = self._flow
        default = _DEFAULT_PORTS[transport]
        if literal(contact.host) != literal(host) or literal(via.host) != literal(host):
            return True
        if transport != "udp":
            return False
        return (contact.port or default) != port or (via.port or default) != port

    def _binding(self, contact: NameAddr, granted_s: int, nat: bool) -> Binding:
        request = self._request
        return Binding(
            owner=self._owner,
            owner_id=self._owner_id,
            contact=str(contact.uri),
            flow=self._flow,
            sip_call_id=request.call_id,
            cseq=request.cseq.number,
            q=_q(contact.param("q")),
            expires_at=self._at + timedelta(seconds=granted_s),
            deadline=self._now + granted_s,
            user_agent=request.headers.get("User-Agent") or "",
            instance=contact.param("+sip.instance") or "",
            nat=nat,
            signed_with=self._signed_with,
        )

    def _is_another_pbx(self, old: Binding) -> bool:
        """Not the same PBX after a restart, and not one that went silent: that one has lapsed."""
        agent = self._request.headers.get("User-Agent") or ""
        return old.flow.remote[0] != self._flow.remote[0] or old.user_agent != agent


def _same_contact(bindings: list[Binding], uri: Uri) -> Binding | None:
    """The binding whose Contact is equivalent (RFC 3261 §10.3 step 7, §19.1.4)."""
    text = str(uri)
    for binding in bindings:
        if binding.contact == text:
            return binding
    for binding in bindings:
        if Uri.parse(binding.contact).equivalent(uri):
            return binding
    return None


def _only_later(old: Binding, new: Binding) -> bool:
    """True when nothing moved but sequence and expiry."""
    return new == replace(
        old,
        sip_call_id=new.sip_call_id,
        cseq=new.cseq,
        expires_at=new.expires_at,
        deadline=new.deadline,
    )


def _listed(binding: Binding, now: float) -> str:
    """One Contact of the 200, with the time that is left of it."""
    # What adding and taking away `now` leaves behind its rounding is no second more.
    left_s = ceil(round(binding.deadline - now, 3))
    text = f"<{binding.contact}>;expires={left_s}"
    if binding.q != _FULL_Q:
        text += f";q=0.{binding.q:03d}"
    if binding.instance:
        text += f";+sip.instance={binding.instance}"
    return text


def _q(text: str | None) -> int:
    """qvalue (RFC 3261 §25.1) in thousandths; the highest when absent or malformed."""
    if not text:
        return _FULL_Q
    whole, _, fraction = text.partition(".")
    if whole == "0" and len(fraction) <= 3 and (not fraction or fraction.isdecimal()):
        return int(fraction.ljust(3, "0"))
    return _FULL_Q
