"""Letters that look alike, and the replacement of each.

This is a small part of Unicode's confusables.txt, which has thousands of letters: the letters that are possible after
case folding, compatibility folding and the rules of `names`.
"""

from __future__ import annotations

import re
import unicodedata

# Pairs of strings: letters, and in the same order the letter that each looks like.
_ALPHABETS = (
    # Cyrillic. Capitals count: Н looks like H, so its small form н does too.
    ("авеіјкмнорстухѕԁԛԝѵүһӏьғқңҥұҳҫҭҽԍпг", "abeijkmhopctyxsdqwvyhlbfkhhyxctegnr"),
    # Greek
    ("αβεζηικμνορτυχωγϲϳ", "abezhikmnoptuxwycj"),
    # Armenian
    ("օսհոցզաեք", "ouhngqwtp"),
    # Cherokee, whose case folding gives capital letters
    ("ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᎽᏀᏃᏎᏒᏔᏕᏚᏙᏟᏢᏦᏞᏴ", "drtiajewmhyzz4rwssvcpklb"),
    # Lisu, made of turned and upright Latin capitals
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "abcdefghijklmnoprstuvwxyz"),
    # Canadian syllabics, which "fancy text" websites often use
    ("ᗩᗷᑕᗪᕮᖴᘜᕼᓰᒍᒪᗰᑎᗝᑭᖇᔕᖶᑌᐯᗯ᙭", "abcdefghijlmnoprstuvwx"),
    # Coptic
    ("ⲁⲃⲉⲏⲓⲕⲙⲛⲟⲣⲥⲧⲩⲭⲍ", "abehikmnopctyxz"),
    # Latin letters of phonetic alphabets, and click letters
    ("ɑɡıɩȷƅǀǃɪʟɢʀɴʙʜʏꞁɐəɔʋƿ", "agiijbllilgrnbhylaeovp"),
    # Chinese characters that look like others in a title, and kana that look like Chinese characters
    ("菅員贠曰已巳級統長網務營運團隊們眀囗", "管员员日己己级统长网务营运团队们明口"),
    ("ロエタニハカトナヘベペーリ丨", "口工夕二八力卜十へべぺ一りl"),
)

# Letters that look alike within Latin. `l` replaces 1, and `rn` replaces m. `names` handles the capital I. i and l are
# not replaced by each other, because half of all short names would be taken then.
_WITHIN_LATIN = {"0": "o", "1": "l", "m": "rn", "w": "vv"}


def _look_alikes() -> dict[str, str]:
    table = {}
    for letters, looks in _ALPHABETS:
        for letter, look in zip(letters, looks, strict=True):
            table[letter.casefold()] = "".join(_WITHIN_LATIN.get(c, c) for c in look)
    for code in range(0x1D00, 0x1D26):  # small capitals, ᴀᴅᴍɪɴ
        found = re.fullmatch(r"LATIN LETTER SMALL CAPITAL ([A-Z])", unicodedata.name(chr(code), ""))
        if found:
            letter = found[1].lower()
            table[chr(code)] = _WITHIN_LATIN.get(letter, letter)
    return table | _WITHIN_LATIN


def _base_letters() -> dict[str, str]:
    """Latin letter -> base letter, also if decomposition does not remove the stroke or hook: đ -> d, ø -> o."""
    table = {}
    for code in (*range(0x00C0, 0x02B0), *range(0x1E00, 0x1F00)):
        found = re.fullmatch(r"LATIN SMALL LETTER ([A-Z]) WITH .*", unicodedata.name(chr(code), ""))
        if found:
            table[chr(code)] = found[1].lower()
    return table


LOOK_ALIKES = _look_alikes()
BASE_LETTERS = _base_letters()
