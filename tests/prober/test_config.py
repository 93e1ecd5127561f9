"""The configuration says what is wrong with it, and nothing weakens the service by mistake."""

from contextlib import suppress
from hashlib import sha256
from ipaddress import ip_address, ip_network
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from prober.config import Config, ConfigError, Token, digest_of, load_config, parse_config
from tests.fuzz import fuzz

FOLDER = Path("/folder")
DIGEST = "0123456789abcdef" * 4
TOKEN = f'[[tokens]]\nsha256 = "{DIGEST}"\n'
PROXY = 'proxies = ["127.0.0.1"]\n'


def test_everything_that_can_be_said() -> None:
    config = parse_config(
        f"""
        listen = ["127.0.0.1:8080", "[::1]:443"]
        certificate = "fullchain.pem"
        key = "/else/privkey.pem"
        proxies = ["127.0.0.1", "172.18.0.0/16", "::1"]
        own_addresses = ["11.22.33.2", "2a00:77::2"]
        [[tokens]]
        sha256 = "{DIGEST}"
        names = {{ pppoe = "home.example.net" }}
        [[tokens]]
        sha256 = "{"0" * 64}"
        """,
        FOLDER,
    )
    assert config == Config(
        tokens=(Token(DIGEST, {"pppoe": "home.example.net"}), Token("0" * 64)),
        listen=((ip_address("127.0.0.1"), 8080), (ip_address("::1"), 443)),
        certificate=FOLDER / "fullchain.pem",
        key=Path("/else/privkey.pem"),
        proxies=tuple(map(ip_network, ("127.0.0.1", "172.18.0.0/16", "::1"))),
        own_addresses=frozenset({ip_address("11.22.33.2"), ip_address("2a00:77::2")}),
    )


def test_little_is_enough() -> None:
    config = parse_config(PROXY + TOKEN, FOLDER)
    assert config.listen == ((ip_address("0.0.0.0"), 8443), (ip_address("::"), 8443))
    assert (config.certificate, config.own_addresses) == (None, frozenset())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no token"),
        (PROXY, "no token"),
        (TOKEN, "tokens need HTTPS"),
        ("proxies = []\n" + TOKEN, "tokens need HTTPS"),
        ('certificate = "a"\n' + PROXY + TOKEN, "go together"),
        ('key = "a"\n' + PROXY + TOKEN, "go together"),
        ('key = ""\n' + PROXY + TOKEN, "no text"),
        ("insecure = true\n" + PROXY + TOKEN, "not known: insecure"),
        ("listen = []\n" + PROXY + TOKEN, "is empty"),
        ('listen = "0.0.0.0:1"\n' + PROXY + TOKEN, "listen"),
        ("listen = [8443]\n" + PROXY + TOKEN, "listen"),
        *(
            (f'listen = ["{each}"]\n' + PROXY + TOKEN, "listen")
            for each in ("", "8443", ":8443", "::1:8443", "host:8443", "[::1]", "1.2.3.4:65536")
        ),
        ('proxies = ["proxy.example"]\n' + TOKEN, "proxies"),
        ('proxies = ["10.0.0.1/8"]\n' + TOKEN, "proxies"),
        ('own_addresses = ["11.22.33.0/24"]\n' + PROXY + TOKEN, "own_addresses"),
        (PROXY + "[[tokens]]\n", "sha256"),
        (PROXY + '[[tokens]]\nsha256 = "the secret"\n', "sha256"),
        (PROXY + f'[[tokens]]\nsha256 = "{DIGEST.upper()}"\n', "sha256"),
        (PROXY + f'[tokens]\nsha256 = "{DIGEST}"\n', "tokens"),
        (PROXY + TOKEN + 'secret = "x"\n', "not known: secret"),
        (PROXY + TOKEN + 'names = ["home.example.net"]\n', "names"),
        *(
            (PROXY + TOKEN + f'names = {{ home = "{each}" }}\n', "names|no text")
            for each in ("", "localhost", "11.22.33.44", "::1", "a..b", "-a.b", "a_b.c", "a.b.")
        ),
        (PROXY + TOKEN + f'names = {{ home = "{"a" * 64}.net" }}\n', "names"),
        (PROXY + TOKEN + f'names = {{ home = "{"a." * 127}net" }}\n', "names"),
        (PROXY + TOKEN + 'names = { Home = "a.example" }\n', "names"),
        ("[[[", "not TOML"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse_config(text, FOLDER)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "prober.toml"
    file.write_text(f'certificate = "a"\nkey = "b"\n{TOKEN}')
    assert load_config(file).key == tmp_path / "b"
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(file)
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml")


def test_a_token_is_found_by_its_secret_alone() -> None:
    tokens = tuple(Token(digest_of(each)) for each in ("one", "two"))
    config = Config(tokens)
    assert config.token("two") == tokens[1]
    assert tokens[1].digest == sha256(b"two").hexdigest()
    for wrong in ("", "three", "two ", "TWO", tokens[1].digest, "\udcff", "二"):
        assert config.token(wrong) is None


@fuzz
@given(
    st.text(max_size=200) | st.text("[]=\"{}#\n'\\.0a", max_size=60).map((PROXY + TOKEN).__add__)
)
def test_any_text_is_a_configuration_or_an_error(text: str) -> None:
    with suppress(ConfigError):
        assert parse_config(text, FOLDER).tokens
