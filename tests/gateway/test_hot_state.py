"""Hot state: indexes stay true through changes, ambiguities are named."""

from dataclasses import replace
from time import perf_counter

from gateway.hot_state import HotState
from gateway.model.call import Direction
from gateway.model.profile import AuthMode
from tests.support import factories as make

IP_PBX = ("203.0.113.20", 5062)


def ip_profile(id: int = 1, **fields: object) -> object:
    return make.profile(id, **{"mode": AuthMode.IP, "address": IP_PBX, **fields})


def test_ten_thousand_profiles_are_found_at_once() -> None:
    """R12, R95: one dictionary access each, however many there are."""
    profiles = tuple(
        make.profile(
            i, mode=AuthMode.IP, address=(f"10.{i // 65536}.{i // 256 % 256}.{i % 256}", 5060)
        )
        for i in range(1, 10_001)
    )
    hot = make.hot_state(profiles=profiles)
    started = perf_counter()
    for profile in profiles:
        assert profile.address is not None
        assert hot.profile_by_username[profile.username] is profile
        assert hot.profile_from(make.flow(profile.address)) is profile
    assert perf_counter() - started < 1.0
    assert hot.check() == []


def test_a_udp_peer_is_known_by_address_and_port() -> None:
    """R77"""
    hot = make.hot_state(profiles=(ip_profile(),))
    assert hot.profile_from(make.flow(IP_PBX)) is hot.profile_by_id[1]
    assert hot.profile_from(make.flow((IP_PBX[0], 5063))) is None
    assert hot.profile_from(make.flow(IP_PBX, "tcp")) is None


def test_a_stream_peer_is_known_by_address_alone() -> None:
    hot = make.hot_state(profiles=(ip_profile(transport="tls"),))
    assert hot.profile_from(make.flow((IP_PBX[0], 49152), "tls")) is hot.profile_by_id[1]
    assert hot.profile_from(make.flow(IP_PBX)) is None


def test_carriers_match_by_port_first_then_by_address() -> None:
    exact = make.carrier(1, host="192.0.2.1", port=5060)
    loose = make.carrier(2, host="192.0.2.1", port=5070, match_port=False)
    stream = make.carrier(3, host="192.0.2.3", transport="tls", port=5061)
    hot = make.hot_state(carriers=(exact, loose, stream))
    assert hot.carrier_from(make.flow(("192.0.2.1", 5060))) is exact
    assert hot.carrier_from(make.flow(("192.0.2.1", 6000))) is loose
    assert hot.carrier_from(make.flow(("192.0.2.3", 40000), "tls")) is stream
    assert hot.carrier_from(make.flow(("192.0.2.9", 5060))) is None


def test_ipv6_addresses_are_compared_as_addresses() -> None:
    hot = make.hot_state(
        profiles=(ip_profile(address=("2001:DB8:0::7", 5060)),),
        carriers=(make.carrier(host="2001:DB8:0:0::9"),),
    )
    assert hot.profile_from(make.flow(("2001:db8::7", 5060))) is hot.profile_by_id[1]
    assert hot.carrier_from(make.flow(("2001:db8::9", 5060))) is hot.carriers[0]


def test_of_two_carriers_at_one_address_the_preferred_one_is_believed() -> None:
    hot = make.hot_state(carriers=(make.carrier(1, priority=5), make.carrier(2, priority=1)))
    found = hot.carrier_from(make.flow(make.CARRIER))
    assert found is not None and found.id == 2


def test_a_disabled_carrier_is_neither_tried_nor_believed() -> None:
    hot = make.hot_state(carriers=(make.carrier(enabled=False),))
    assert hot.carriers == ()
    assert hot.carrier_from(make.flow(make.CARRIER)) is None


def test_carriers_are_hunted_by_priority() -> None:
    hot = make.hot_state(
        carriers=(make.carrier(1, priority=5), make.carrier(2, priority=1, port=5070))
    )
    assert [c.id for c in hot.carriers] == [2, 1]
    hot.put_carrier(make.carrier(3, priority=0, port=5080))
    assert [c.id for c in hot.carriers] == [3, 2, 1]
    hot.remove_carrier(2)
    assert [c.id for c in hot.carriers] == [3, 1]


def test_account_names_are_found_in_any_case() -> None:
    hot = make.hot_state(onnet_accounts=(make.onnet_account(name="Architects.Sales"),))
    assert hot.onnet("architects.SALES") is hot.onnet_by_id[1]
    hot.put_onnet(make.onnet_account(1, name="renamed"))
    assert hot.onnet("architects.sales") is None
    hot.remove_onnet(1)
    assert hot.onnet("renamed") is None


def test_a_replaced_profile_keeps_the_channels_of_running_calls() -> None:
    """R16, R31: changing a profile never touches a live call."""
    hot = make.hot_state()
    hot.profile_by_id[1].lease("c-1", Direction.OUTGOING, make.AT)
    hot.put_profile(make.profile(1, name="Renamed", channels=1))
    assert hot.profile_by_id[1].name == "Renamed"
    assert hot.profile_by_id[1].lease("c-2", Direction.OUTGOING, make.AT) is None
    hot.profile_by_id[1].release("c-1")


def test_a_profile_that_changes_its_mode_leaves_no_old_index_behind() -> None:
    """R15: the mode can be switched later, by replacing the profile or editing it in place."""
    hot = make.hot_state(profiles=(ip_profile(),))
    hot.put_profile(make.profile(1, username="other"))
    assert hot.profile_from(make.flow(IP_PBX)) is None
    assert list(hot.profile_by_username) == ["other"]
    profile = hot.profile_by_id[1]
    profile.mode, profile.address, profile.username = AuthMode.IP, IP_PBX, "third"
    hot.put_profile(profile)
    assert hot.profile_from(make.flow(IP_PBX)) is profile
    assert list(hot.profile_by_username) == ["third"]
    hot.remove_profile(1)
    assert (hot.profile_by_id, hot.profile_by_username, hot.profile_by_address) == ({}, {}, {})


def test_a_number_follows_its_new_owner_at_once() -> None:
    """R105"""
    hot = make.hot_state(numbers=(make.number(profile_id=1),))
    hot.put_number(make.number(profile_id=2))
    assert list(hot.numbers_of(1)) == []
    assert [n.number for n in hot.numbers_of(2)] == ["+12026555376"]
    hot.remove_number("+12026555376")
    assert list(hot.numbers_of(2)) == []
    hot.put_number(make.number(profile_id=None))
    hot.remove_number("+12026555376")
    assert hot.number_by_e164 == {}


def test_a_new_tariff_holds_from_now_on() -> None:
    hot = make.hot_state(tariff=None)
    hot.replace_tariff(make.tariff())
    assert hot.tariff is not None and hot.tariff.name == "standard"
    hot.put_manager(make.manager(1, "EUR"))
    assert hot.currency_of(hot.profile_by_id[1]) == "EUR"


def told(hot: HotState) -> str:
    return " ".join(hot.check())


def test_two_profiles_at_one_address_and_port_are_named() -> None:
    """R79"""
    assert "2 profiles use IP authentication from 203.0.113.20:5062" in told(
        make.hot_state(profiles=(ip_profile(1), ip_profile(2)))
    )
    assert not make.hot_state(
        profiles=(ip_profile(1), ip_profile(2, address=(IP_PBX[0], 5063)))
    ).check()


def test_two_stream_peers_at_one_address_are_named_whatever_their_ports() -> None:
    """R79: the source port of a connection tells nothing."""
    profiles = (
        ip_profile(1, transport="tls"),
        ip_profile(2, transport="tls", address=(IP_PBX[0], 5063)),
    )
    assert "203.0.113.20 over tls" in told(make.hot_state(profiles=profiles))


def test_two_carriers_at_one_address_without_ports_are_named() -> None:
    carriers = (make.carrier(1, match_port=False), make.carrier(2, match_port=False, port=5070))
    assert "2 carriers send from 192.0.2.50 (any port)" in told(make.hot_state(carriers=carriers))
    apart = tuple(replace(c, match_port=True) for c in carriers)
    assert not make.hot_state(carriers=apart).check()


def test_a_carrier_that_would_hide_a_pbx_is_named() -> None:
    hot = make.hot_state(
        profiles=(ip_profile(),), carriers=(make.carrier(host=IP_PBX[0], match_port=False),)
    )
    assert "both send from 203.0.113.20" in told(hot)
    hot = make.hot_state(
        profiles=(ip_profile(),), carriers=(make.carrier(host=IP_PBX[0], port=IP_PBX[1]),)
    )
    assert "both send from 203.0.113.20" in told(hot)


def test_gaps_are_named() -> None:
    hot = make.hot_state(
        profiles=(
            make.profile(1, mode=AuthMode.IP),
            make.profile(2, username="twice", manager_id=9),
            make.profile(3, username="twice"),
        ),
        managers=(make.manager(1, "EUR"),),
        onnet_accounts=(
            make.onnet_account(1, "alice"),
            make.onnet_account(2, "ALICE"),
            make.onnet_account(3, "twice"),
        ),
    )
    text = told(hot)
    assert "has no address" in text
    assert "2 profiles share the SIP username twice" in text
    assert "belongs to Manager 9" in text
    assert "keeps EUR, the tariff is in USD" in text
    assert "2 accounts share the name alice" in text
    assert "twice is the name of an account and of a profile" in text


def test_without_a_tariff_no_currency_can_be_wrong() -> None:
    assert make.hot_state(tariff=None, managers=(make.manager(1, "EUR"),)).check() == []


def test_known_hosts_are_carriers_pbxs_by_address_and_bindings() -> None:
    """R86: where a ban would hurt somebody of ours."""
    hot = make.hot_state(
        profiles=(
            make.profile(1),
            make.profile(2, mode=AuthMode.IP, address=("203.0.113.20", 5060)),
            make.profile(3, mode=AuthMode.IP, address=("203.0.113.21", 5061), transport="tls"),
        ),
        bindings=(make.binding(1, flow=make.flow(("203.0.113.22", 9))),),
        carriers=(make.carrier(1), make.carrier(2, host="192.0.2.60", enabled=False)),
    )
    places = {make.CARRIER[0], "203.0.113.20", "203.0.113.21", "203.0.113.22"}
    assert set(hot.known_hosts()) == places
