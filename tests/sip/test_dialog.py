"""Dialogs: RFC 3261 §12."""

import json

from sip.dialog import RESTORED_CSEQ_STEP, Dialog
from sip.flow import Flow
from sip.message import response_to
from tests.support.sip_text import UDP, answer, parsed_response, request

ROUTED = ("Record-Route: <sip:a.example;lr>, <sip:b.example;lr>",)
CARRIER = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 5060))


def of_uac(*, via_flow: bool = True, contact: str = "<sip:peer@203.0.113.5:5070>") -> Dialog:
    invite = request(cseq=7)
    response = parsed_response(answer(invite, 200, extra=ROUTED, contact=contact))
    return Dialog.of_uac(invite, response, CARRIER, via_flow)


def of_uas() -> Dialog:
    invite = request(cseq=7, extra=ROUTED)
    return Dialog.of_uas(invite, response_to(invite, 200, to_tag="us"), "us", UDP, True)


def test_the_caller_reverses_the_record_route_and_the_callee_keeps_it() -> None:
    """§12.1.2, §12.1.1."""
    assert list(of_uac().routes) == ["<sip:b.example;lr>", "<sip:a.example;lr>"]
    assert list(of_uas().routes) == ["<sip:a.example;lr>", "<sip:b.example;lr>"]


def test_the_dialog_is_named_by_both_tags() -> None:
    uac, uas = of_uac(), of_uas()
    assert (uac.call_id, uac.local_tag, uac.remote_tag) == ("call-1", "pbx", "peer")
    assert (uas.call_id, uas.local_tag, uas.remote_tag) == ("call-1", "us", "pbx")
    assert uas.local == "<sip:100@192.0.2.1>;tag=us"


def test_a_request_in_the_dialog_has_its_fields_in_the_promised_order() -> None:
    dialog = of_uac()
    bye = dialog.request("BYE", dialog.next_seq(), (("Reason", "Q.850;cause=16"),))
    assert bye.uri == "sip:peer@203.0.113.5:5070"
    assert list(bye.headers.items()) == [
        ("From", "<sip:pbx@192.0.2.1>;tag=pbx"),
        ("To", "<sip:100@192.0.2.1>;tag=peer"),
        ("Call-ID", "call-1"),
        ("CSeq", "8 BYE"),
        ("Via", ""),
        ("Max-Forwards", "70"),
        ("Route", "<sip:b.example;lr>"),
        ("Route", "<sip:a.example;lr>"),
        ("Reason", "Q.850;cause=16"),
    ]


def test_a_cseq_lower_than_the_last_is_not_accepted() -> None:
    """§12.2.2."""
    dialog = of_uas()
    assert dialog.accepts(request("INFO", cseq=9))
    assert not dialog.accepts(request("INFO", cseq=8))
    assert dialog.accepts(request("BYE", cseq=10))
    assert of_uac().accepts(request("BYE", cseq=1))


def test_a_target_refresh_moves_the_target_and_never_the_routes() -> None:
    dialog = of_uac(via_flow=False, contact="<sip:peer@203.0.113.5:5070>")
    dialog.routes = []
    assert dialog.outgoing_flow().remote == ("203.0.113.5", 5070)
    moved = answer(request(), 200, extra=ROUTED, contact="<sip:peer@203.0.113.6>")
    dialog.refresh(parsed_response(moved))
    assert dialog.target == "sip:peer@203.0.113.6"
    assert dialog.outgoing_flow().remote == ("203.0.113.6", 5060)
    assert list(dialog.routes) == []
    dialog.refresh(parsed_response(answer(request(), 200, contact="")))
    assert dialog.target == "sip:peer@203.0.113.6"


def test_by_flow_the_latest_source_wins() -> None:
    dialog = of_uac(via_flow=True)
    assert dialog.outgoing_flow() == CARRIER
    moved = CARRIER._replace(remote=("198.51.100.7", 61000))
    dialog.note_flow(moved)
    assert dialog.outgoing_flow() == moved


def test_to_a_carrier_a_name_in_the_route_set_falls_back_on_the_flow() -> None:
    dialog = of_uac(via_flow=False)
    assert dialog.outgoing_flow() == CARRIER
    dialog.note_flow(CARRIER._replace(remote=("203.0.113.99", 1)))
    assert dialog.flow == CARRIER


def test_without_a_contact_the_target_is_the_request_uri() -> None:
    assert of_uac(contact="").target == "sip:100@192.0.2.1"


def test_a_dialog_comes_back_from_its_written_state() -> None:
    dialog = of_uac(via_flow=False)
    text = dialog.to_json()
    json.loads(text)
    again = Dialog.from_json(text)
    bye = again.request("BYE", again.next_seq())
    assert bye.cseq.number == 7 + RESTORED_CSEQ_STEP + 1
    assert (again.local_tag, again.remote_tag) == ("pbx", "peer")
    assert again.flow == CARRIER
    assert again.outgoing_flow() == dialog.outgoing_flow()
    assert bye.headers.all("Route") == dialog.request("BYE", 1).headers.all("Route")
