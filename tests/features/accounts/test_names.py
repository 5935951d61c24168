"""A name must not hide characters, look like another member's name, or contain a title."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.accounts import names

ORDINARY = [
    "alice", "user1", "member2", "小明", "莉莉", "José", "O.K.", "测试用户1", "test_3", "a", "王小明", "欧阳·娜娜",
    "Jean-Luc", "van der Berg", "山田太郎", "さくら", "ソニー", "김철수", "Иван", "Ελένη", "Nguyễn Văn Ánh", "नरेंद्र",
    "น้ำฝน", "علي", "小A", "阿Q", "Ayọ̀", "二十个字的名字也可以用到头为止一二三四五", "badminton", "root beer", "Admiral",
    "操作系统爱好者", "O'Brien".replace("'", "."), "12345", "々木", "𠮷野家",
]  # fmt: skip

INVISIBLE_OR_DRESSED_UP = {
    "zero width space": "ali\u200bce",
    "zero width joiner": "ali\u200dce",
    "soft hyphen": "ali\u00adce",
    "bidi override": "\u202eecila",
    "bidi isolate": "a\u2067b",
    "byte order mark": "\ufeffalice",
    "combining grapheme joiner": "a\u034flice",
    "variation selector": "小\ufe00明",
    "ideographic variation": "小\U000e0100明",
    "Hangul filler": "\u3164",
    "Hangul choseong filler": "\u115f",
    "braille blank": "\u2800",
    "no-break space": "a\u00a0b",
    "ideographic space": "小\u3000明",
    "two spaces": "a  b",
    "tab": "a\tb",
    "newline": "a\nb",
    "escape": "\x1b[31mred",
    "NUL": "a\0b",
    "DEL": "a\x7f",
    "lone surrogate": "a\ud800",
    "private use": "a\ue000",
    "unassigned": "a\u0378",
    "fullwidth": "ａdmin",
    "mathematical bold": "𝐚𝐥𝐢𝐜𝐞",
    "circled": "Ⓐ",
    "superscript": "alice²",
    "ligature": "ﬁona",
    "Kangxi radical": "⼩明",
    "CJK radical": "⺊",
    "emoji": "alice👑",
    "check mark": "alice✔",
    "verified badge": "alice☑",
    "star": "★小明★",
    "heavy mark": "alice ✓",
    "dollar": "$alice",
    "at": "@alice",
    "angle brackets": "<b>",
    "quotation mark": 'a"b',
    "slash": "a/b",
    "brackets": "小明[管]",
    "CJK brackets": "【小明】",
    "enclosing circle": "a\u20dd",
    "tower of accents": "a" + "\u0300\u0301" * 4,
    "two extra accents": "z\u0300\u0301",
    "leading mark": "\u0301a",
    "mark on a dot": "a.\u0301",
    "struck through": "a\u0336b",
    "hieroglyph": "𓀀",
    "blank hieroglyph": "\U00013441",
    "modifier letter": "aˑb",
    "only dots": "...",
    "only a middle dot": "·",
    "roman numeral": "Ⅷ",
}

MIXED = ["аlice", "Алиcа", "αlice", "paypаl", "小а", "Ꭰlice", "Ελeni", "Иvan", "ꓮlice", "aliсe"]

RESERVED = [
    "管理员", "管理員", "超级管理", "超级管理员", "超級管理員", "系统", "系統", "客服", "群主", "站长", "站長", "官方",
    "admin", "Admin", "ADMIN", "administrator", "root", "system", "moderator", "mod", "official", "support",
    "a.d.m.i.n", "ad_min", "a d m i n", "adm1n", "4dm1n", "admln", "adrnin", "Ádmín", "ađmin", "ᴀᴅᴍɪɴ", "ꓮꓓꓟꓲꓠ",
    "ᗩᗪᗰᓰᑎ", "r00t", "R00T", "supp0rt", "m0derator", "M0derat0r", "admin1", "admin_007", "Site Admin", "admin-bob",
    "AdminBob", "chatadmin", "小明管理员", "管·理·员", "菅理员", "管理贠", "管理员1", "我是官方", "客服小王",
    "系统消息",
    "админ", "АДМИН", "Администратор",
]  # fmt: skip


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_name_is_taken_as_it_is(name: str) -> None:
    assert names.check(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("name", INVISIBLE_OR_DRESSED_UP.values(), ids=INVISIBLE_OR_DRESSED_UP.keys())
def test_a_name_hides_nothing_and_wears_no_badge(name: str) -> None:
    assert reason(name) == "characters"


@pytest.mark.parametrize("name", MIXED)
def test_alphabets_that_look_alike_are_not_mixed(name: str) -> None:
    assert reason(name) == "mixed_scripts"


@pytest.mark.parametrize("name", RESERVED)
def test_a_title_is_nobodys_name_but_the_operator_may_give_it(name: str) -> None:
    assert reason(name) == "reserved"
    assert names.check(name, privileged=True) == name


def test_privilege_opens_the_reserved_list_and_nothing_else() -> None:
    with pytest.raises(DomainError):
        names.check("admin\u200b", privileged=True)
    with pytest.raises(DomainError):
        names.check("аdmin", privileged=True)


def test_a_name_has_one_to_twenty_characters() -> None:
    assert reason("") == "empty"
    assert reason("   ") == "empty"
    assert names.check("字" * 20) == "字" * 20
    with pytest.raises(DomainError) as refusal:
        names.check("字" * 21)
    assert refusal.value.details == {"reason": "too_long", "limit": 20}
    assert reason("a" * 10_000_000) == "too_long"


def test_characters_are_counted_as_they_are_stored() -> None:
    assert names.normalise("e\u0301" * 20) == "é" * 20


def test_spaces_around_a_name_are_dropped_and_it_is_stored_composed() -> None:
    assert names.normalise("  Jose\u0301 ") == "José"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"),
        ("alice", "a1ice"),
        ("alice", "aIice"),
        ("bob", "b0b"),
        ("José", "JOSE\u0301"),
        ("coco", "сосо"),  # all Cyrillic
        ("HAN", "ΗΑΝ"),  # all Greek
        ("Straße", "STRASSE"),
        ("İpek", "ipek"),
        ("burn", "bum"),
        ("小明", "⼩明"),
        ("小明", "小眀"),
        ("口口", "ロロ"),  # katakana
        ("12", "١٢"),
        ("alice", "𝓪𝓵𝓲𝓬𝓮"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert names.skeleton(one) == names.skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "alicia"),
        ("ali", "all"),
        ("Lili", "Illi"),
        ("José", "Jose"),
        ("小明", "小名"),
        ("user1", "user2"),
        ("a_b", "ab"),
        ("Иван", "Ivan"),
    ],
)
def test_names_that_can_be_told_apart_have_two(one: str, other: str) -> None:
    assert names.skeleton(one) != names.skeleton(other)


def test_a_skeleton_of_a_skeleton_is_itself() -> None:
    for name in [*ORDINARY, *RESERVED]:
        once = names.skeleton(name)
        assert names.skeleton(once) == once


def test_no_character_at_all_crashes_the_rules() -> None:
    for code in (*range(0x3400), *range(0x3400, sys.maxunicode + 1, 97)):
        c = chr(code)
        names.skeleton(c)
        try:
            stored = names.check(f"a{c}b")
        except DomainError as refusal:
            assert refusal.code is ErrorCode.NAME_INVALID
        else:
            assert stored.isprintable()
            assert names.check(stored) == stored


def reason(name: str) -> str:
    """The reason why `name` is refused. Fails if it is accepted."""
    with pytest.raises(DomainError) as refusal:
        names.check(name)
    assert refusal.value.code is ErrorCode.NAME_INVALID
    return str(refusal.value.details["reason"])
