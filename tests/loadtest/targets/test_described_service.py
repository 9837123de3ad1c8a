"""The targets of other services share names, values, signatures, and mistakes that are said before the storm."""

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest

from loadtest.targets.described_service import DescribedService
from loadtest.targets.port import BadTarget
from server.core.ids import ViewerId
from tests.loadtest.targets.described import BASE_URL, HTTP, PACKET, scenario


def a_service(*, base_url: str = "", folder: Path = Path(), **fields: Any) -> DescribedService:
    whole = scenario(HTTP | fields)
    return DescribedService(whole.target, packets=whole.packets, base_url=base_url, folder=folder)


def with_users(folder: Path, text: str, **fields: Any) -> DescribedService:
    (folder / "users.csv").write_text(text, "utf-8")
    return a_service(folder=folder, users="users.csv", **fields)


def test_an_url_given_at_the_command_line_wins_over_the_scenario() -> None:
    service = a_service(base_url="http://127.0.0.1:7/api/v1/")
    assert (service.addresses[0].netloc, service.base_path) == ("127.0.0.1:7", "/api/v1")
    assert a_service().addresses[0].netloc == BASE_URL.removeprefix("http://")
    without = scenario({**HTTP, "base_url": ""})
    with pytest.raises(BadTarget, match="give base_url in the scenario, or --target URL"):
        DescribedService(without.target, packets=without.packets, base_url="", folder=Path())


def test_a_viewer_has_the_fields_of_its_row(tmp_path: Path) -> None:
    service = with_users(tmp_path, "id,token\n小红,t1\nbo,t2\n", viewer="{user.id}")
    assert service.name_of(ViewerId("v1")) == "bo"
    assert service.values_of(ViewerId("bo")) == {"viewer": "bo", "user.id": "bo", "user.token": "t2"}
    assert {"user.id", "user.token", "viewer"} <= service.viewer_places


def test_without_users_a_viewer_is_called_by_its_number() -> None:
    service = a_service(viewer="load-{viewer}")
    assert service.name_of(ViewerId("v7")) == "load-v7"
    assert service.values_of(ViewerId("load-v7")) == {"viewer": "load-v7"}


def test_there_are_as_many_users_as_viewers(tmp_path: Path) -> None:
    service = with_users(tmp_path, "id\na\nb\n", viewer="{user.id}")
    service.check_users(2)
    with pytest.raises(BadTarget, match=r"target\.users: has 2 rows, but there are 3 viewers"):
        service.check_users(3)


def test_two_viewers_of_one_name_are_refused(tmp_path: Path) -> None:
    """Each would get a share, and the audit would take them for one who got two."""
    with pytest.raises(BadTarget, match=r"target\.viewer: viewers 0 and 2 are both called 'a'"):
        with_users(tmp_path, "id\na\nb\na\n", viewer="{user.id}").check_users(3)
    with pytest.raises(BadTarget, match=r"viewers 0 and 1 are both called 'load'"):
        a_service(viewer="load").check_users(2)


def test_a_column_that_no_row_has_is_said_before_the_storm(tmp_path: Path) -> None:
    with pytest.raises(BadTarget, match=r"target\.viewer: \{user\.name\} has no value here; .*user\.id, viewer"):
        with_users(tmp_path, "id\na\n", viewer="{user.name}")


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "sha512", "md5"])
def test_a_signature_is_the_hmac_of_its_text(algorithm: Any) -> None:
    sign = {"key": "k", "text": "{viewer}|{timestamp_s}|{body}", "algorithm": algorithm}
    values = {"viewer": "v1", "timestamp_s": 5, "body": '{"a":1}'}
    wanted = hmac.new(b"k", b'v1|5|{"a":1}', getattr(hashlib, algorithm))
    assert a_service(sign=sign).signature(values) == wanted.hexdigest()
    encoded = a_service(sign={**sign, "encoding": "base64"}).signature(values)
    assert base64.b64decode(encoded) == wanted.digest()


def test_a_place_that_a_request_has_no_value_for_is_empty_in_the_signed_text() -> None:
    """A login has no packet, and is signed by the same rule as a grab."""
    service = a_service(sign={"key": "k", "text": "{viewer}/{packet}"})
    assert service.signature({"viewer": "v1"}) == hmac.new(b"k", b"v1/", "sha256").hexdigest()


def test_there_is_no_signature_without_a_rule_for_it() -> None:
    assert "signature" not in a_service().viewer_places
    assert "signature" in a_service(sign={"key": "k", "text": ""}).run_places
    with pytest.raises(BadTarget, match=r"target\.sign\.text: \{signature\} has no value here"):
        a_service(sign={"key": "k", "text": "{signature}"})


def test_each_moment_is_new() -> None:
    one, other = a_service().moment(), a_service().moment()
    assert one["nonce"] != other["nonce"]
    assert one["timestamp_s"] == int(str(one["timestamp_ms"])) // 1_000
    assert a_service().packet_ids == [PACKET["packet_id"]]
