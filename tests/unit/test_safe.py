"""Hostile text: what terminals, reports, tables and the catalog get of it."""

import ast
import csv
import io
import pickle
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import mlbench
from mlbench.redaction import (
    NOT_SECRET,
    PASSWORD,
    PERHAPS,
    SECRET,
    is_plain,
    is_secret,
    redact_argv,
    redact_json,
    redact_param,
    redact_text,
    redact_url,
    secrecy,
)
from mlbench.safe import (
    Safe,
    csv_cell,
    file_slug,
    latex_text,
    markdown_block,
    markdown_code,
    markdown_text,
    path_of_text,
    safe,
    safe_lines,
    text_of_path,
    tsv_cell,
)

# Live punctuation twice as likely as anything else.
NASTY = st.text(st.one_of(st.sampled_from("|`*_[]()<>!#@&\\ \n-=+.:/~$\"'wx1"), st.characters()), max_size=40)

# ---------------------------------------------------------------- the terminal


def test_escape_sequences_become_visible_symbols() -> None:
    assert safe("\x1b]52;c;aGk=\x1b\\") == "␛]52;c;aGk=␛\\"
    assert safe("loss\x07\x08\x7f\x00") == "loss␇␈␡␀"


def test_c1_bidi_and_invisible_characters_become_replacement_characters() -> None:
    assert safe("\x9b2J") == "\ufffd2J"
    assert safe("a\u202eb\u2066c") == "a\ufffdb\ufffdc"
    assert safe("a\u200bb\ufeffc\u2028d\u3164e") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert safe("\U000e0041\U000e0100\udcff") == "\ufffd\ufffd\ufffd"


def test_one_line_shows_the_newline_and_lines_keep_it() -> None:
    assert safe("a\nb\tc") == "a␊b␉c"
    assert safe_lines("a\r\nb\nc\rd\x1b") == "a\nb\nc␍d␛"


def test_ordinary_text_of_any_script_stays() -> None:
    for text in ("val/loss", "größe", "损失", "μ±σ → ∞", "ভাষা", "é", "ẉ̂"):
        assert safe(text) == text


def test_wide_spaces_become_a_space() -> None:
    assert safe("3\u00a0%\u3000x") == "3 % x"


def test_long_text_ends_in_an_ellipsis() -> None:
    assert safe("abcdef", limit=4) == "abc…"
    assert safe("abcd", limit=4) == "abcd"
    assert len(safe("x" * 10_000)) == 4096


def test_floods_of_combining_marks_are_cut() -> None:
    flood = "e" + "\u0301" * 500 + "x"

    assert safe(flood) == "e" + "\u0301" * 5 + "x"


def test_any_object_can_be_shown() -> None:
    assert safe(0.5) == "0.5"
    assert safe(None) == "None"


def test_every_code_point_is_printable_when_safe() -> None:
    everything = [chr(code) for code in range(sys.maxunicode + 1)]

    shown = [str(safe(char)) for char in everything]

    assert all(map(str.isprintable, shown))
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in shown)


@given(st.text())
def test_safe_text_is_printable_and_safe_again(text: str) -> None:
    shown = safe(text)

    assert shown.isprintable()
    assert safe(shown) == shown
    assert all(line.isprintable() for line in safe_lines(text).split("\n"))


def test_joins_and_cuts_of_safe_text_are_safe() -> None:
    shown = safe("a") + "\x1b" + safe(", ").join(["b", "\x07", safe("c")])

    assert shown == "a␛b, ␇, c"
    assert isinstance(shown, Safe)
    assert isinstance(shown[0], Safe)
    assert isinstance(shown[1:], Safe)
    assert shown[:2] == "a␛"


def test_safe_text_crosses_processes() -> None:
    lines = safe_lines("a\nb")

    copy = pickle.loads(pickle.dumps(lines))

    assert copy == "a\nb"
    assert isinstance(copy, Safe)


def test_nobody_else_makes_safe_text_by_calling_the_class() -> None:
    root = Path(mlbench.__file__).parent

    calls = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.rglob("*.py")
        if path.name != "safe.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Safe"
    ]

    assert calls == []


# ---------------------------------------------------------------- Markdown

MARKDOWN = MarkdownIt("commonmark", {"html": True, "linkify": True}).enable(["table", "linkify", "strikethrough"])


def flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *flat(token.children or []))]


def cells_of(source: str) -> list[str]:
    """The texts of a rendered table's cells; fails where anything but text and code came out of them."""
    tokens = flat(MARKDOWN.parse(source))
    live = {token.type for token in tokens} - {
        "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close",
        "th_open", "th_close", "td_open", "td_close", "inline", "text", "code_inline",
    }  # fmt: skip
    assert live == set()
    return [
        "".join(inner.content for inner in token.children or []) for token in tokens if token.type == "inline"
    ]  # fmt: skip


@given(NASTY, NASTY)
def test_table_cells_show_what_was_written(left: str, right: str) -> None:
    source = f"| {markdown_text(left)} | {markdown_text(right)} |\n| --- | --- |\n| x | y |\n"

    cells = cells_of(source)

    assert cells == [safe(left), safe(right), "x", "y"]


@given(NASTY)
def test_headings_show_what_was_written(text: str) -> None:
    tokens = MARKDOWN.parse(f"# {markdown_text(text)}\n")

    assert [token.type for token in tokens] == ["heading_open", "inline", "heading_close"]
    assert "".join(inner.content for inner in tokens[1].children or []) == safe(text)
    assert {inner.type for inner in tokens[1].children or []} <= {"text"}


@given(NASTY)
def test_code_in_table_cells_shows_what_was_written(text: str) -> None:
    source = f"| a | b |\n| --- | --- |\n| {markdown_code(text)} | after |\n"

    cells = cells_of(source)

    assert cells == ["a", "b", safe(text), "after"]


@given(NASTY)
def test_blocks_hold_what_was_written(text: str) -> None:
    tokens = MARKDOWN.parse("before\n\n" + markdown_block(text, language="diff") + "\nafter\n")

    fences = [token for token in tokens if token.type == "fence"]
    assert len(fences) == 1
    assert fences[0].content.removesuffix("\n") == safe_lines(text).removesuffix("\n")
    assert fences[0].info == "diff"
    assert tokens[-2].content == "after"


@pytest.mark.parametrize(
    "text",
    ["<script>x</script>", "![x](http://evil/leak.png)", "http://evil.example", "www.evil.example", "a@b.example",
     "@octocat", "#123", "GH-1", "a | b", "**b**", "&lt;", "# Heading", "1. one", "- item", "~~x~~", "$x^2$"],
)  # fmt: skip
def test_no_punctuation_that_is_live_anywhere_is_left(text: str) -> None:
    escaped = markdown_text(text)

    without_entities = "".join(part.partition(";")[2] or part for part in escaped.split("&#"))
    assert not set(without_entities) & set("<>[]()!@#*_`|~$:/.-+=")


def test_code_is_readable_where_it_can_be() -> None:
    assert markdown_code("val/loss") == "`val/loss`"
    assert markdown_code("a`b") == "``a`b``"
    assert markdown_code("`a`") == "`` `a` ``"
    assert markdown_code("a|b") == "a&#124;b"
    assert markdown_code("") == ""


def test_blocks_are_closed_by_nothing_inside() -> None:
    assert markdown_block("a\n```\nb\n") == "````\na\n```\nb\n````\n"


# ---------------------------------------------------------------- tables and files


@pytest.mark.parametrize(
    ("text", "cell"),
    [("=1+1", "'=1+1"), ("+x", "'+x"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"), ("\r=1", "'\r=1"),
     ("-0.5", "-0.5"), ("+1e-3", "+1e-3"), ("-inf", "-inf"), ("-1+1", "'-1+1"), ("＝1", "'＝1"), ("", ""),
     ("lr", "lr"), ("a\nb", "a\nb"), ("\x1b[31m", "␛[31m"), ("-٣", "'-٣")],
)  # fmt: skip
def test_cells_are_no_formulas_and_numbers_stay(text: str, cell: str) -> None:
    assert csv_cell(text) == cell


def test_cells_of_tab_separated_tables_have_no_tabs_or_line_ends() -> None:
    assert tsv_cell("a\tb\nc") == "a␉b␊c"
    assert tsv_cell("=a") == "'=a"


@given(NASTY)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    rows = io.StringIO()
    csv.writer(rows).writerow([csv_cell(text), tsv_cell(text)])

    for cell in next(csv.reader(io.StringIO(rows.getvalue(), newline=""))):
        if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
            assert float(cell) is not None  # raises for what is no number


def test_latex_shows_what_was_written() -> None:
    assert latex_text(r"50% & $x_1^2$ #3 {a} \b ~") == (
        r"50\% \& \$x\_1\textasciicircum{}2\$ \#3 \{a\} \textbackslash{}b \textasciitilde{}"
    )
    assert latex_text("--lr [1] *<>|") == r"-{}-{}lr {[}1{]} {*}\textless{}\textgreater{}\textbar{}"


def test_slugs_are_portable_and_differ_where_the_texts_differ() -> None:
    assert file_slug("../../etc/passwd").startswith("etc-passwd-")
    assert file_slug("/abs/Größe lr=0.1").startswith("abs-Groe-lr-0-1-") or "Gro" in file_slug("/abs/Größe lr=0.1")
    assert file_slug("损失").startswith("run-")
    assert file_slug("a/b") != file_slug("a-b")
    assert file_slug("x") == file_slug("x")


@given(st.text())
def test_slugs_never_leave_the_folder(text: str) -> None:
    slug = file_slug(text)

    assert slug.isascii()
    assert not set(slug) & set("/\\.: ")
    assert 0 < len(slug) <= 69
    assert slug[0] != "-"


def test_paths_become_text_and_paths_again() -> None:
    assert text_of_path("runs/größe") == "runs/größe"
    assert text_of_path("runs/\udcff\udc80x") == r"runs/\xff\x80x"
    assert text_of_path(r"a\b") == r"a\b"
    assert text_of_path(r"a\xffb") == r"a\x5cxffb"
    assert text_of_path("\ud800") == r"\xed\xa0\x80"


@given(st.binary(max_size=30))
def test_every_path_comes_back_from_its_text(raw: bytes) -> None:
    path = raw.decode("utf-8", "surrogateescape")

    text = text_of_path(path)

    text.encode("utf-8")
    assert path_of_text(text) == path


# ---------------------------------------------------------------- redaction

HEX40 = "0123456789abcdef0123456789abcdef01234567"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"  # fmt: skip
AWS = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HF = "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYz012345678"
GHP = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"

# (text, the secret in it)
PLANTED_TEXTS = [
    (f"python train.py --api-key {HEX40} --lr 0.1", HEX40),
    (f"python train.py --wandb_api_key={HEX40}", HEX40),
    ("python train.py db.password=hunter2 lr=0.1", "hunter2"),
    ("python train.py --password 'hunter 2' --lr 0.1", "hunter 2"),
    ('python train.py --password "hunter 2"', "hunter 2"),
    ("python train.py --db-password=a,b;c", "a,b;c"),
    ("python train.py --password=p<w>d", "p<w>d"),
    ("WANDB_API_KEY=local-abc123def python train.py", "local-abc123def"),
    (f"export AWS_SECRET_ACCESS_KEY={AWS}", AWS),
    ("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("the key is ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
    (f"pulled with {HF}", HF),
    (f"git clone with {GHP}", GHP),
    ("gho_16C7e42F292c6912E7710c838347Ae178B4a", "gho_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz", "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz"),
    ("glpat-AbCdEfGhIjKlMnOpQrSt", "glpat-AbCdEfGhIjKlMnOpQrSt"),
    ("sk-abcdEFGH0123456789abcdEFGH0123456789", "sk-abcdEFGH0123456789abcdEFGH0123456789"),
    ("sk-proj-abc_DEF-0123456789abcdef", "sk-proj-abc_DEF-0123456789abcdef"),
    ("sk-ant-api03-abc_DEF-0123456789", "sk-ant-api03-abc_DEF-0123456789"),
    ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "4eC39HqLyjWDarjtT1zdp7dc"),
    ("xoxb-123456789012-abcdefghijkl", "xoxb-123456789012-abcdefghijkl"),
    ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIzaSyA1234567890abcdefghijklmnopqrstuv"),
    ("ya29.a0AfH6SMBx1234567890abcdef", "ya29.a0AfH6SMBx1234567890abcdef"),
    (f"cookie {JWT} sent", JWT),
    ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "npm_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("pypi-AgEIcHlwaS5vcmcCJDEyMzQ1Njc4OTA", "pypi-AgEIcHlwaS5vcmcCJDEyMzQ1Njc4OTA"),
    ("dckr_pat_abcdefghijklmnopqrst", "dckr_pat_abcdefghijklmnopqrst"),
    ("dapi0123456789abcdef0123456789abcdef", "dapi0123456789abcdef0123456789abcdef"),
    ("SG.abcdefghijklmnopqrstuv.ABCDEFGHIJKLMNOPQRSTUV", "SG.abcdefghijklmnopqrstuv.ABCDEFGHIJKLMNOPQRSTUV"),
    ("r8_abcdefghijklmnopqrstuvwxyz0123456789", "r8_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("gsk_abcdefghijklmnopqrstuvwxyz0123456789", "gsk_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("nvapi-abcdefghijklmnopqrstuvwxyz0123456789", "nvapi-abcdefghijklmnopqrstuvwxyz0123456789"),
    ("pplx-abcdefghijklmnopqrstuvwxyz0123456789", "pplx-abcdefghijklmnopqrstuvwxyz0123456789"),
    ("lin_api_abcdefghijklmnopqrstuvwxyz0123456789", "lin_api_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"),
    (PEM, "MIIEowIBAAKCAQEA"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA", "MIIEowIBAAKCAQEA"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n-----END OPENSSH PRIVATE KEY-----", "b3BlbnNzaC1r"),
    ("postgres://user:pw@db.host:5432/x", "user:pw"),
    ("postgres://user:p@ss#1@db.host/x", "p@ss#1"),
    ("mongodb+srv://root:s3cr3t@cluster0.mongodb.net", "s3cr3t"),
    ("redis://:hunter2@localhost:6379/0", "hunter2"),
    (f"git+https://{GHP}@github.com/u/r.git", GHP),
    ("https://abcdef@sentry.io/1", "abcdef"),
    ("--storage mysql://root:hunter2@10.0.0.1/optuna", "hunter2"),
    ("--db user:hunter2@db.example.org:5432/x", "hunter2"),
    ("connect root:hunter2@localhost", "hunter2"),
    ("https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef0123&x=1", "0123456789abcdef0123"),
    ("https://b/k?X-Amz-Credential=AKIDEXAMPLE1234567&x=1", "AKIDEXAMPLE1234567"),
    ("https://s.blob.core.windows.net/c?sv=2020&sig=abc123DEF456ghi789", "abc123DEF456ghi789"),
    ("https://api.x/v1?key=1234567890abcdef&q=cats", "1234567890abcdef"),
    ("https://api.x/v1?q=cats&access_token=zyx987wvu", "zyx987wvu"),
    ("https://app/#access_token=zyx987wvu", "zyx987wvu"),
    ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "B00000000/XXXXXXXX"),
    ("https://discord.com/api/webhooks/123456789/abcdefghijklmnop", "abcdefghijklmnop"),
    ("curl -H 'Authorization: Bearer abcdef1234567890abcdef'", "abcdef1234567890abcdef"),
    ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("authorization: token 0123456789abcdef", "0123456789abcdef"),
    ("curl -u user:hunter2 https://x", "hunter2"),
    ("AccountName=x;AccountKey=abc123+/def==;EndpointSuffix=core", "abc123+/def=="),
    ("Server=x;Password=hunter2;Database=y", "hunter2"),
    ("Namespace(api_key='abcdef', lr=0.1)", "abcdef"),
    ('{"client_secret": "s3cr3t value", "lr": 0.1}', "s3cr3t value"),
    ('{"secretAccessKey": "abc123def456"}', "abc123def456"),
    ("password: hunter2", "hunter2"),
    ("passphrase=correct", "correct"),
    ("HF_TOKEN=abcdefgh", "abcdefgh"),
    ("hub_token: abcdefgh", "abcdefgh"),
    ("neptune.api_token=abcdefgh==", "abcdefgh=="),
    ("token=a1b2c3d4e5f6g7h8", "a1b2c3d4e5f6g7h8"),
    ("--token a1b2c3d4e5f6g7h8", "a1b2c3d4e5f6g7h8"),
    ("PGPASSWORD=12345678 psql", "12345678"),
    ("SMTP_PASS=swordfish", "swordfish"),
    ("MYSQL_PWD=swordfish", "swordfish"),
]  # fmt: skip

# (key, value): the whole value is the secret
PLANTED_PARAMS = [
    ("wandb.api_key", HEX40), ("apiKey", "abcdefgh"), ("OPENAI_API_KEY", "abcdefgh"), ("openai.key", "abcdefgh"),
    ("aws_secret_access_key", AWS), ("db.password", "hunter2"), ("db.password", "correct horse battery"),
    ("password", "12345678"), ("env.PGPASSWORD", "x"), ("ssh.passphrase", "abc"), ("secret", "swordfish"),
    ("client_secret", "swordfish"), ("authToken", "abcdefgh"), ("hf_token", "abcdefgh"), ("use_auth_token", "abcdefgh"),
    ("push_to_hub_token", "abcdefgh"), ("token", "a1b2c3d4e5f6g7h8"), ("login.token", "a1b2c3d4e5f6g7h8"),
    ("api_key_2", "abcdefgh"), ("secrets.service.value", "a1b2c3d4e5f6g7h8"), ("credentials", "a1b2c3d4e5f6g7h8"),
    ("cookie", "a1b2c3d4e5f6g7h8"), ("encryption_key", "abcdefgh"), ("private_key", PEM), ("notes", f"use {GHP}"),
    ("api_key", "'abcdefgh'"),
]  # fmt: skip

# (key, value) of real training code: none may be touched
ML_WORDS = [
    ("tokenizer", "bert-base-uncased"), ("tokenizer_name", "roberta-large-openai-detector"), ("max_tokens", "4096"),
    ("max_new_tokens", "256"), ("token_type", "word"), ("token_type_ids", "[0, 1]"), ("author", "J. R. Hacker 1984"),
    ("authors", "a1b2c3d4e5f6g7h8"), ("num_tokens", "1000000"), ("n_tokens", "1e9"), ("pad_token", "[PAD]"),
    ("pad_token_id", "50256"), ("eos_token", "</s>"), ("bos_token", "<|startoftext|>"), ("unk_token", "<unk>"),
    ("sep_token", "[SEP]"), ("cls_token", "[CLS]"), ("mask_token", "<mask_000001_abcd>"), ("image_token", "IMG_CONTEXT_0123"),
    ("special_token", "reserved_token_000123"), ("stop_token", "end_of_turn_0001abc"), ("start_token", "begin0123456abc"),
    ("token_dropout", "0.1"), ("token_dim", "768"), ("tokens_per_batch", "4096"), ("token_merging", "tome-r8-2022-v1a"),
    ("token_embedding", "learned"), ("token", "word"), ("token", "true"), ("token", "None"), ("token", "0.5"),
    ("subword_tokenization", "bpe32000-unigram"), ("tokens", "a1b2c3d4e5f6g7h8"), ("detokenize", "True"),
    ("use_auth_token", "False"), ("use_auth_token", "True"), ("hub_token", "None"), ("hub_token", ""), ("hub_token", "''"),
    ("hub_token", "<HUB_TOKEN>"), ("api_key", "null"), ("api_key", "${oc.env:WANDB_API_KEY}"), ("api_key", "$API_KEY"),
    ("api_key", "{{ secrets.API_KEY }}"), ("api_key", "%API_KEY%"), ("api_key", "******"), ("api_key", "<redacted:0badcafe>"),
    ("api_key", "env"), ("password", "none"), ("password", "0"), ("password_length", "12abcdefghijkl"), ("password", "-0.5"),
    ("private_key", "/home/u/.ssh/id_rsa"), ("credentials", "conf/gcp.json"), ("credentials", "./gcp-2024-prod1.json"),
    ("pwd", "/home/user1/runs/2024_11_02"), ("key", "a1b2c3d4e5f6g7h8"), ("rng_key", "[0 42]"), ("prng_key", "a1b2c3d4e5f6"),
    ("monitor_key", "val_loss_epoch_10"), ("metric_key", "eval/top1_accuracy_v2"), ("image_key", "pixel_values_224"),
    ("obs_key", "observation_64x64"), ("primary_key", "sample_id_01_abc"), ("key_dim", "64"), ("num_key_value_heads", "8"),
    ("keys", "['a', 'b']"), ("sort_key", "name_ascending_01"), ("target_key", "label_smooth_0_1"), ("query_key_norm", "True"),
    ("secretary", "a1b2c3d4e5f6g7h8"), ("n_secret", "3"), ("secret", "42"), ("secret_dim", "16abcdefghijklm"),
    ("secret", "true"), ("single_pass", "forward_backward1"), ("forward_pass", "checkpointed_v2"), ("passes", "3"),
    ("high_pass", "200Hz_butterworth"), ("bypass", "residual_block_v1"), ("compass", "north_by_northwest1"),
    ("authority", "a1b2c3d4e5f6g7h8"), ("authenticated", "True"), ("auth", "kerberos"), ("google-auth", "2.6.0=pyhd3eb1b0_0"),
    ("session", "2024-11-02_13-22-01_a"), ("session_id", "a1b2c3d4e5f6g7h8"), ("run_id", HEX40[:8]), ("commit", HEX40),
    ("git_sha", HEX40), ("sha256", HEX40 * 2), ("md5", HEX40[:32]), ("checkpoint", f"ckpt/{HEX40}.pt"),
    ("model", "hf-internal-testing/tiny-random-gpt2"), ("model", "meta-llama/Llama-3.1-8B-Instruct"), ("name", "sk-learn-baseline-1"),
    ("name", "sk-logistic-regression-classifier-2024"), ("dataset", "s3://bucket/data/v1.0"), ("dataset", "hf://datasets/glue"),
    ("uri", "http://localhost:5000/#/experiments/1"), ("uri", "sqlite:///mlflow.db"), ("uri", "http://10.0.0.1:5000"),
    ("url", "https://example.org/@user/page?x=1"), ("image", "pytorch/pytorch:2.4.0@sha256:" + HEX40), ("lr", "1e-4"),
    ("artifact", "user/project/model:v3"), ("email", "jane@example.org"), ("command", "python -u train.py --lr 0.1 --seed 3"),
    ("command", "train.py --tokenizer gpt2 --max_tokens 128 --pad_token '[PAD]'"), ("command", "python -m torch.distributed.run x"),
    ("optimizer", "Adam(betas=(0.9, 0.999))"), ("config", "{'token_type': 'bpe', 'vocab': 32000}"), ("time", "12:30:45"),
    ("hf_model", "hf_transformers_classification_base"), ("note", "bearer of good news"), ("note", "authorization was fine"),
    ("note", "the basic token classification model"), ("layers", "conv:3,pool:2"), ("spec", "a:b@c"), ("wandb_entity", "team-42-abcdefgh"),
    ("wandb_project", "neptune2024-ablation"), ("signature", "a1b2c3d4e5f6g7h8"), ("code", "a1b2c3d4e5f6g7h8"), ("exp.key", "run_2024_11_02_a"),
    ("dictionary", "key=value"), ("vocab", "eyJ"), ("scale", "AKIA"), ("basic_block", "BasicBlock12345678"), ("cookies", "12"),
    ("", "a1b2c3d4e5f6g7h8"), ("0", "a1b2c3d4e5f6g7h8"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "secret"), PLANTED_TEXTS)
def test_no_planted_secret_is_left_in_a_text(text: str, secret: str) -> None:
    redacted = redact_text(text)

    assert secret not in redacted
    assert "<redacted:" in redacted
    assert redact_text(redacted) == redacted


@pytest.mark.parametrize(("key", "value"), PLANTED_PARAMS)
def test_no_planted_secret_is_left_in_a_param(key: str, value: str) -> None:
    redacted = redact_param(key, value)

    assert redacted is not None
    assert value.rsplit(maxsplit=1)[-1] not in redacted
    assert redact_param(key, redacted) is None


@pytest.mark.parametrize(("key", "value"), ML_WORDS)
def test_the_vocabulary_of_machine_learning_is_left_alone(key: str, value: str) -> None:
    assert redact_param(key, value) is None
    assert redact_text(f"{key} {value}") == f"{key} {value}"
    assert redact_argv([f"--{key}", value, "--x"]) == [f"--{key}", value, "--x"]


KEYS_OF_SECRETS = (
    "api_key", "OPENAI_API_KEY", "wandb_api_key", "aws_secret_access_key", "client_secret", "access_token", "auth_token",
    "private_key", "db_password", "hf_token", "github_token", "encryption_key", "smtp_password", "refresh_token",
)  # fmt: skip
PLACES_OF_SECRETS = (
    "train.py --{key} {secret} --lr 0.1", "train.py --{key}={secret} --lr 0.1", "export {key}={secret}", "{key}: {secret}",
    "Namespace({key}='{secret}', lr=0.1)", '{{"{key}": "{secret}", "lr": 0.1}}', "cfg.{key}={secret} cfg.lr=0.1",
    "{{'{key}': '{secret}'}}",
)  # fmt: skip
MORE_ML_KEYS = (
    "tokenizer_max_length", "vocab_size", "max_seq_len", "num_attention_heads", "keypoint_loss", "passthrough", "key_padding_mask",
    "n_keys", "hidden_size", "token_level", "authorship_task", "secretion_rate", "query_key_value", "monkey_patch", "turkey_dataset",
    "keyframe_interval", "passage_length", "password_free_login", "tokenized_path", "signature_size", "hash_seed", "session_length",
)  # fmt: skip
PLAIN_VALUES = ("128", "0.1", "true", "linear")


@pytest.mark.parametrize("key", KEYS_OF_SECRETS)
def test_no_secret_is_left_wherever_it_is_planted(key: str) -> None:
    for number, place in enumerate(PLACES_OF_SECRETS):
        secret = f"Zq{number}7Rt5Yw{len(key)}9PkXv3"

        assert secret not in redact_text(place.format(key=key, secret=secret)), place


@pytest.mark.parametrize("key", MORE_ML_KEYS)
def test_more_of_the_vocabulary_is_left_alone(key: str) -> None:
    assert [value for value in PLAIN_VALUES if redact_param(key, value) is not None] == []


def test_the_tables_are_as_large_as_promised() -> None:
    places = len(KEYS_OF_SECRETS) * len(PLACES_OF_SECRETS)
    assert len(PLANTED_TEXTS) + len(PLANTED_PARAMS) + places >= 200
    assert len(ML_WORDS) + len(MORE_ML_KEYS) * len(PLAIN_VALUES) >= 200


def test_what_stands_around_a_secret_stays() -> None:
    assert redact_text("train.py --api-key abcdefgh --lr 0.1") == "train.py --api-key <redacted:55aa8251> --lr 0.1"
    assert redact_text('{"api_key": "abcdefgh", "lr": 1}') == '{"api_key": "<redacted:55aa8251>", "lr": 1}'
    assert redact_text("postgres://u:p@host/db").endswith("@host/db")
    assert redact_text("a=1,password=pw,b=2").endswith(",b=2")


def test_equal_secrets_have_equal_marks_under_one_salt_only() -> None:
    quoted = redact_param("api_key", "'abcdefgh'", salt=b"home")
    bare = redact_text("api_key=abcdefgh", salt=b"home")

    assert quoted is not None
    assert bare == f"api_key={quoted}"
    assert redact_param("api_key", "abcdefgh", salt=b"other") != quoted
    assert redact_param("api_key", "abcdefgi", salt=b"home") != quoted


def test_typed_values_are_redacted_all_the_way_down() -> None:
    value = {"lr": 0.1, "db": {"password": 12345678, "port": 5432}, "urls": ["https://u:p@h/x", None, True], "n": "12"}

    redacted = redact_json("cfg", value)

    assert redacted == {
        "lr": 0.1,
        "db": {"password": redact_param("password", "12345678"), "port": 5432},
        "urls": [redact_text("https://u:p@h/x"), None, True],
        "n": "12",
    }


def test_words_of_a_command_line_are_redacted_after_their_option() -> None:
    argv = ["train.py", "--api-key", "abcdefgh", "--use_auth_token", "--password=pw", "--lr", "0.1"]

    redacted = redact_argv(argv)

    assert redacted == [
        "train.py", "--api-key", redact_param("api_key", "abcdefgh"), "--use_auth_token",
        redact_text("--password=pw"), "--lr", "0.1",
    ]  # fmt: skip
    assert "pw" not in redacted[4].split("=")[1].split(":")[0]


@pytest.mark.parametrize(
    ("url", "clean"),
    [("https://github.com/u/r.git", "https://github.com/u/r.git"),
     ("https://user:pw@github.com/u/r.git", "https://github.com/u/r.git"),
     (f"https://{GHP}@github.com/u/r.git", "https://github.com/u/r.git"),
     ("https://user:p/w@host/r", "https://host/r"),
     ("https://host:8443/r@v2", "https://host:8443/r@v2"),
     ("ssh://git@host:22/u/r.git", "ssh://host:22/u/r.git"),
     ("git@github.com:u/r.git", "github.com:u/r.git"),
     ("user:pw@host:u/r.git", "host:u/r.git"),
     ("https://host/r?private_token=abcdefgh&x=1", "https://host/r?x=1"),
     ("https://host/r?x=1&private_token=a1b2c3d4e5f6g7", "https://host/r?x=1"),
     ("https://host/r?access_token=abcdefgh", "https://host/r"),
     ("/srv/git/r.git", "/srv/git/r.git"),
     ("../r@2.git", "../r@2.git"),
     ("file:///srv/git/r.git", "file:///srv/git/r.git"),
     ("C:\\repos\\r", "C:\\repos\\r"),
     ("", "")],
)  # fmt: skip
def test_remotes_lose_user_info_and_secret_parameters(url: str, clean: str) -> None:
    assert redact_url(url) == clean


def test_names_are_judged_by_whole_words() -> None:
    assert secrecy("db.password") == PASSWORD
    assert secrecy("OPENAI_API_KEY") == SECRET
    assert secrecy("token") == PERHAPS
    assert secrecy("tokenizer") == NOT_SECRET
    assert secrecy("42") == NOT_SECRET
    assert not is_secret("token", "aaaaaaaaaaa1")


@given(
    st.sampled_from(["lr", "token", "password", "api_key", "secrets.x", ""]),
    st.text(st.sampled_from("abAB01=:@/-_.,;&?'\"<> \n"), max_size=30)
    | st.sampled_from(["AKIA" + "A1" * 8, "1e-3", "[0.9, 0.999]", "[1e-3, -2]"]),
)
def test_what_is_plain_at_one_look_is_kept(key: str, raw: str) -> None:
    assert not is_plain(key, raw) or redact_param(key, raw) is None


@given(st.text(st.sampled_from("[]019+-.e, :=@&-a"), max_size=30))
def test_a_list_of_numbers_is_plain_only_where_nothing_else_is_in_it(raw: str) -> None:
    assert not is_plain("lr", raw) or redact_text(raw) == raw


@given(st.text(st.sampled_from("abAB01=:@/-_.,;&?'\"<> \n"), max_size=60))
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact_text(text)

    assert redact_text(once) == once


@pytest.mark.parametrize(
    "piece", ["a", "a:", "a@", "curl ", "eyJ-", "://", "a://", "a://b:", "a.", "+a", "--a ", "a=", "'", "-----BEGIN PRIVATE KEY-----", "/a", "\\",
              "Bearer ", "?a=", "a" * 50 + " ", "hf_", "sk-", "a,", "<", "user:pw@", "authorization: "],
)  # fmt: skip
def test_hostile_texts_take_no_longer_than_others(piece: str) -> None:
    text = piece * (60_000 // len(piece))

    redact_text(text)
    redact_param("api_key", text)
    redact_url(text)
    markdown_text(text)
