"""Which request goes through which proxy of the environment."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inclinet.http.proxies import Proxies, ProxyUnusable, from_environment, is_loopback

PROXY = "http://proxy.example.org:3128"
HOSTS = ["archive.org", "data.archive.org", "notarchive.org", "10.1.2.3", "11.1.2.3", "[2001:db8::5]", "[2001:db9::5]"]


def spared(no_proxy: str, port: int | None = None) -> set[str]:
    """Return the hosts that are asked without the proxy."""
    proxies = Proxies({"all": PROXY, "no": no_proxy})
    suffix = f":{port}" if port else ""
    return {host for host in HOSTS if proxies.of(f"https://{host}{suffix}/x") is None}


@pytest.mark.parametrize(
    ("no_proxy", "expected"),
    [
        ("", set()),
        ("archive.org", {"archive.org", "data.archive.org"}),
        (".archive.org", {"archive.org", "data.archive.org"}),
        ("*.archive.org", {"archive.org", "data.archive.org"}),
        ("ARCHIVE.ORG.", {"archive.org", "data.archive.org"}),
        ("data.archive.org", {"data.archive.org"}),
        ("a.b , archive.org", {"archive.org", "data.archive.org"}),
        ("a.b archive.org", {"archive.org", "data.archive.org"}),
        ("https://archive.org/", {"archive.org", "data.archive.org"}),
        ("org", {"archive.org", "data.archive.org", "notarchive.org"}),
        ("10.1.2.3", {"10.1.2.3"}),
        ("10.0.0.0/8", {"10.1.2.3"}),
        ("10.9.9.9/8", {"10.1.2.3"}),
        ("1.2.3", set()),
        ("2.3", set()),
        ("2001:db8::5", {"[2001:db8::5]"}),
        ("[2001:db8::5]", {"[2001:db8::5]"}),
        ("2001:0db8:0::0005", {"[2001:db8::5]"}),
        ("2001:db8::/32", {"[2001:db8::5]"}),
        ("::1", set()),
        ("localhost,127.0.0.1,::1,10.0.0.0/8", {"10.1.2.3"}),
        ("*", set(HOSTS)),
        ("a.b,*", set(HOSTS)),
        ("10.0.0.0/99,archive.org/x,:,[,[::1,a:b:c,archive.org:x,%", set()),
        ("archive.org:443", {"archive.org", "data.archive.org"}),
        ("archive.org:8443", set()),
        ("[2001:db8::5]:443,10.1.2.3:443", {"[2001:db8::5]", "10.1.2.3"}),
    ],
)
def test_no_proxy_is_read_as_curl_and_requests_read_it(no_proxy: str, expected: set[str]) -> None:
    assert spared(no_proxy) == expected


def test_an_exception_with_a_port_holds_at_that_port_alone() -> None:
    assert spared("archive.org:8443,[2001:db8::5]:8443", 8443) == {"archive.org", "data.archive.org", "[2001:db8::5]"}


LOOPBACK = [
    "localhost",
    "LOCALHOST.",
    "serving.localhost",
    "127.0.0.1",
    "127.9.9.9",
    "127.1",
    "::1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",  # noqa: S104 - asked, not listened on
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_never_goes_through_a_proxy(host: str) -> None:
    assert is_loopback(host)
    inside = f"[{host}]" if host == "::1" else host
    assert Proxies({"all": "socks9://nobody", "http": PROXY}).of(f"http://{inside}:8080/api") is None


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "notlocalhost", "128.0.0.1", "::2", "1.127"])
def test_what_only_looks_like_loopback_is_not(host: str) -> None:
    assert not is_loopback(host)


def test_the_proxy_of_the_scheme_goes_before_the_one_for_all() -> None:
    proxies = Proxies({"http": "h:1", "https": "https://s:2", "all": "socks9://a:3"})
    assert proxies.of("http://archive.org") == "http://h:1"
    assert proxies.of("https://archive.org") == "https://s:2"
    assert Proxies({"all": "a:3"}).of("http://archive.org") == "http://a:3"
    assert Proxies({"https": "s:2"}).of("http://archive.org") is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("socks4://127.0.0.1:1080", "socks4://, which is not known"),
        ("socks5://", "no address"),
        ("socks://127.0.0.1:1080", "socks://, which is not known"),
        ("ftp://proxy:21", "ftp://, which is not known"),
        ("://", "not known"),
        ("http://", "no address"),
        ("http://proxy:port", "no address"),
        ("http://[::1", "no address"),
        ("http://proxy:99999999", "no address"),
        ("proxy host:3128", "no address"),
    ],
)
def test_a_proxy_that_can_not_be_used_is_told_in_one_sentence(value: str, words: str) -> None:
    proxies = Proxies({"all": value, "no": "spared.org"})
    with pytest.raises(ProxyUnusable, match=words) as raised:
        proxies.of("https://archive.org/x")
    assert str(raised.value).startswith("The environment's all_proxy names ")
    assert "\n" not in str(raised.value)
    # it is in nobody's way who does not need it
    assert proxies.of("https://spared.org/x") is None
    proxies.check(["https://spared.org", "http://127.0.0.1:8080"])


def test_credentials_of_a_proxy_are_not_told() -> None:
    for value in ("socks5://me:secret@proxy:x", "http://me:secret@proxy:x", "secret://me:secret@proxy"):
        with pytest.raises(ProxyUnusable) as raised:
            Proxies({"http": value}).of("http://archive.org")
        assert "me:secret" not in str(raised.value)


def test_variables_are_read_in_lower_case_first_and_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "upper:1")
    monkeypatch.setenv("NO_PROXY", "spared.org")
    assert from_environment().of("https://archive.org") == "http://upper:1"
    assert from_environment().of("https://spared.org") is None
    monkeypatch.setenv("https_proxy", "lower:1")
    assert from_environment().of("https://archive.org") == "http://lower:1"
    monkeypatch.setenv("https_proxy", "")
    assert from_environment().of("https://archive.org") is None


ENTRY = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["::1", "[::1]", "[::1]:80", "10.0.0.0/8", "fe80::1%eth0", ".a.b", "*.a", "*", "http://a", "a:1"]),
    st.text(alphabet="[]:./*%@ -0123456789afx", max_size=12),
)


@given(no_proxy=st.lists(ENTRY, max_size=5).map(",".join), proxy=st.one_of(st.just(PROXY), ENTRY), host=ENTRY)
def test_no_environment_ends_in_anything_but_an_answer_or_that_sentence(no_proxy: str, proxy: str, host: str) -> None:
    proxies = Proxies({"no": no_proxy, "https": proxy})
    for url in ("https://archive.org:8443/x", "https://[2001:db8::5]/", "https://10.1.2.3", f"https://{host}/"):
        try:
            said = proxies.of(url)
        except ProxyUnusable:
            continue
        if said is not None:
            assert httpx.Proxy(said).url.host
    assert proxies.of("https://localhost:1") is None
