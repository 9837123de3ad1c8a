"""A field that is named like a person is the viewer's, in any case and with any separators; others are not."""

import pytest

from scripts.adoption.names import place_of, place_within


@pytest.mark.parametrize(
    "name",
    ["X-Viewer", "x_viewer", "XVIEWER", "xviewer", "viewer", "user", "UserId", "user_id", "USER-ID", "X-User-Name",
     "uid", "X-UID", "account", "accountNo", "customer", "Customer-Number", "member", "memberID", "player",
     "X-Player-Id", "currentUser", "X-Acme-User-Id", "participant_id", "buyer", "client_id", "openId",
     "用户ID", "phone", "recipient"],
)  # fmt: skip
def test_a_persons_name_is_the_viewers(name: str) -> None:
    assert place_of(name) == "{viewer}"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("User-Agent", ""), ("user_type", ""), ("account_level", ""), ("inviter_user_id", ""), ("target_user", ""),
        ("X-Region", ""), ("room", ""), ("channel", ""), ("coupon_id", "{packet}"), ("activityId", "{packet}"),
        ("X-Request-Id", "{request_id}"), ("client_token", "{request_id}"), ("clientRequestId", "{request_id}"),
        ("email", "{viewer}@example.com"), ("ts", "{timestamp_ms}"), ("nonce", "{nonce}"),
    ],
)  # fmt: skip
def test_other_names_have_their_own_places(name: str, place: str) -> None:
    assert place_of(name) == place


def test_an_id_is_of_what_holds_it() -> None:
    """Nothing but an id alone is named by its holder; a login comes before any packet."""
    assert (place_within("users", "id"), place_within("player", "uuid")) == ("{viewer}", "{viewer}")
    assert (place_within("coupons", "id"), place_within("coupons", "id", is_login=True)) == ("{packet}", "")
    assert (place_within("coupon", "title"), place_within("rooms", "id")) == ("", "")
