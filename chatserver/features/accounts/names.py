"""The rules for members' names.

Readers distinguish members only by their names, so no name may look like another member's name or like
an official name: no invisible characters, no mixed look-alike alphabets, no symbols that look like
badges, no titles such as 管理员. A name gives no permission; the rules only protect readers from being
deceived. They follow Unicode Technical Standard 39, as far as the standard library can.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.accounts.confusables import BASE_LETTERS, LOOK_ALIKES

NAME_MAX = 20
_SEPARATORS = "_-.· "

# Not allowed in a name, although their category is letter or mark.
_UNWANTED = re.compile(
    "["
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # draw nothing
    "\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff"  # single parts of Hangul syllables, which look like strokes
    "\u02b0-\u02ff\ua700-\ua721\ua788-\ua78a"  # modifier letters: raised dots, ticks and colons
    "\u0334-\u0338\u20d0-\u20ff\ufe20-\ufe2f"  # strike the letter through, or frame it
    # hieroglyphs and other dead scripts, used as pictures; Chakma and Adlam are in use
    "\U00010000-\U000110ff\U00011150-\U0001e8ff\U0001e960-\U0001ffff"
    "]"
)
# Thai and Lao AM: keyboards type these characters, but NFKC changes them to a form that no keyboard types.
_COMPATIBILITY_EXEMPT = str.maketrans("", "", "\u0e33\u0eb3")

_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"})
# The most combining marks on one letter. Scripts with composed accents need at most one more mark, and many
# marks would reach into the lines above and below. Indic scripts, Thai, Hebrew and Arabic need a few.
_MARKS_ON_COMPOSED, _MARKS_ON_OTHERS = 1, 3
_COMPOSED_SCRIPTS = frozenset({"LATIN", "GREEK", "CYRILLIC", "EAST ASIAN"})


def normalise(name: str) -> str:
    """Convert `name` to the spelling that is stored: NFC, without spaces around it.

    1 to 20 characters: letters, accents, decimal digits, `_ - . ·` and single spaces inside.
    Raises DomainError(NAME_INVALID) with `reason`: "empty", "too_long" (and `limit`), "characters"
    or "mixed_scripts".
    """
    if len(name) > 8 * NAME_MAX:  # before any work that grows with the length
        raise _refusal("too_long", limit=NAME_MAX)
    name = unicodedata.normalize("NFC", name).strip(" ")
    if not name:
        raise _refusal("empty")
    if len(name) > NAME_MAX:
        raise _refusal("too_long", limit=NAME_MAX)
    if not _has_plain_characters(name):
        raise _refusal("characters")
    if _mixes_scripts(name):
        raise _refusal("mixed_scripts")
    return name


def check(name: str, privileged: bool = False) -> str:
    """`normalise` the name, and also refuse titles (`reason`: "reserved").

    `privileged` allows a title: the operator may be called 管理员.
    """
    name = normalise(name)
    if not privileged and _is_reserved(name):
        raise _refusal("reserved")
    return name


def skeleton(name: str) -> str:
    """The name with letters that look alike made equal (UTS 39, section 4). The skeleton must be unique.

    It is only for comparing, and never shown. Accents stay: José and Jose have different skeletons.
    """
    plain = unicodedata.normalize("NFKC", name)
    folded = _CAPITAL_I_INSIDE.sub("l", plain).casefold()
    parts = unicodedata.normalize("NFD", folded).replace("i\u0307", "i")  # casefold of İ
    mapped = "".join(_look(c) for c in parts)
    return unicodedata.normalize("NFC", mapped)


def lookup_key(typed: str) -> str:
    """The skeleton with which a typed name is looked up; never raises.

    A text that cannot be a name gets a key that no member has. Each such text gets its own key, because all of them
    would else share one count of failed logins.
    """
    try:
        return skeleton(normalise(typed))
    except DomainError:
        return "?" + hashlib.sha256(typed.encode("utf-8", "replace")).hexdigest()


# After a letter and beside a small letter, a capital I looks like l: in AIice, but not in Iris or ALICE.
_CAPITAL_I_INSIDE = re.compile(r"(?<=[^\W\d_])I(?=[a-z])|(?<=[a-z])I")


def _look(c: str) -> str:
    digit = unicodedata.decimal(c, None)
    if digit is not None:
        c = str(digit)
    return LOOK_ALIKES.get(c, c)


def _refusal(reason: str, **details: int) -> DomainError:
    return DomainError(ErrorCode.NAME_INVALID, reason=reason, **details)


def _has_plain_characters(name: str) -> bool:
    bare = name.translate(_COMPATIBILITY_EXEMPT)
    if unicodedata.normalize("NFKC", bare) != bare or _UNWANTED.search(name) or "  " in name:
        return False
    marks_left = 0
    for c in name:
        if unicodedata.category(c) in ("Mn", "Mc"):
            marks_left -= 1
            if marks_left < 0:
                return False
        elif _is_letter(c):
            marks_left = _MARKS_ON_COMPOSED if _script(c) in _COMPOSED_SCRIPTS else _MARKS_ON_OTHERS
        elif c.isdecimal() or c in _SEPARATORS:
            marks_left = 0
        else:
            return False
    return any(_is_letter(c) or c.isdecimal() for c in name)


def _is_letter(c: str) -> bool:
    return unicodedata.category(c)[0] == "L"


def _mixes_scripts(name: str) -> bool:
    """True unless the letters are of one script, or of Latin and East Asian scripts together.

    This is the "highly restrictive" profile of UTS 39, slightly wider. A reader does not notice Cyrillic or Greek
    letters in a Latin word.
    """
    scripts = {_script(c) for c in name if _is_letter(c)}
    if scripts <= {"LATIN", "EAST ASIAN"}:
        return False
    return len(scripts) > 1


def _script(letter: str) -> str:
    """The first word of the character's name, which is its script for the letters that a name may have."""
    word = unicodedata.name(letter, "UNKNOWN").split(" ")[0]
    return "EAST ASIAN" if word in _EAST_ASIAN else word


# Words that are titles if they stand as separate words, also with digits: "admin", "Site Admin", "admin_1".
_TITLE_WORDS = (
    "admin admins administrator administrators administration sysadmin superadmin superuser moderator moderators sysop "
    "webmaster guanliyuan guanfang kefu qunzhu zhanzhang "
    "админ администратор администрация модератор поддержка διαχειριστης"
).split()
# Words that are titles only if they are the whole name, because "root beer" and "mod squad" are no titles. @all and
# @所有人 mention all members.
_WHOLE_NAMES = (
    "root system mod mods official officials support staff operator helpdesk all 系统 管理 管理者 公告 房主 所有人"
).split()
# Words that are titles anywhere in a name, because Chinese has no spaces between words.
_CONTAINED = (
    "administrator moderator 管理员 超级管理 超管 管理组 管理团队 群管理 客服 官方 群主 站长 版主 运营团队 工作人员 "
    "系统管理 系统消息 系统通知 系统公告 系统提示 운영자 관리자"
).split()


def _is_reserved(name: str) -> bool:
    words = [word for word in re.split(r"[_\-.· ]+", name) if word]
    whole = "".join(words)
    letters = _title_look(whole)
    if letters in _WHOLE or any(title in letters for title in _ANYWHERE):
        return True
    if letters.startswith(_ADMIN) or letters.endswith(_ADMIN):
        return True
    spellings = [*words, whole]
    spellings += [word.strip("0123456789") for word in spellings]
    return any(_title_look(word) in _TITLES for word in spellings)


def _title_look(text: str) -> str:
    """The skeleton of `text` without accents, with digits read as letters and i as l: `Ádm1n` is `admln`.

    Coarser than `skeleton`, because a name that only resembles a title misleads too.
    """
    bare = "".join(BASE_LETTERS.get(c, c) for c in unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(c for c in unicodedata.normalize("NFD", bare) if not unicodedata.category(c).startswith("M"))
    return skeleton(bare).translate(_AS_TITLE_LETTERS)


_AS_TITLE_LETTERS = str.maketrans("34578i", "eastbl")
_TITLES = frozenset(_title_look(word) for word in _TITLE_WORDS)
_WHOLE = _TITLES | frozenset(_title_look(word) for word in _WHOLE_NAMES)
_ANYWHERE = tuple(_title_look(word) for word in _CONTAINED)
_ADMIN = _title_look("admin")
