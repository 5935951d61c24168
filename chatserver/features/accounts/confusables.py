"""Letters that look alike, and the letter that each is replaced by.

Not all of Unicode's confusables.txt, which has thousands, most of them in no valid name: only what is left
after case folding, compatibility folding and the rules of `names`.
"""

from __future__ import annotations

import re
import unicodedata

# The letters, and what each looks like, in the same order.
_ALPHABETS = (
    # Cyrillic. Capitals count: Н looks like H, so its small form н does too.
    ("авеіјкмнорстухѕԁԛԝѵүһӏьғқңҥұҳҫҭҽԍпг", "abeijkmhopctyxsdqwvyhlbfkhhyxctegnr"),
    # Greek
    ("αβεζηικμνορτυχωγϲϳ", "abezhikmnoptuxwycj"),
    # Armenian
    ("օսհոցզաեք", "ouhngqwtp"),
    # Cherokee, whose case folding leads to the capitals
    ("ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᎽᏀᏃᏎᏒᏔᏕᏚᏙᏟᏢᏦᏞᏴ", "drtiajewmhyzz4rwssvcpklb"),
    # Lisu, made of turned and upright Latin capitals
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "abcdefghijklmnoprstuvwxyz"),
    # Canadian syllabics, a favourite of "fancy text" pages
    ("ᗩᗷᑕᗪᕮᖴᘜᕼᓰᒍᒪᗰᑎᗝᑭᖇᔕᖶᑌᐯᗯ᙭", "abcdefghijlmnoprstuvwx"),
    # Coptic
    ("ⲁⲃⲉⲏⲓⲕⲙⲛⲟⲣⲥⲧⲩⲭⲍ", "abehikmnopctyxz"),
    # Latin letters of phonetic alphabets, and clicks
    ("ɑɡıɩȷƅǀǃɪʟɢʀɴʙʜʏꞁɐəɔʋƿ", "agiijbllilgrnbhylaeovp"),
    # Chinese characters that pass for others in a title, and kana that pass for Chinese
    ("菅員贠曰已巳級統長網務營運團隊們眀囗", "管员员日己己级统长网务营运团队们明口"),
    ("ロエタニハカトナヘベペーリ丨", "口工夕二八力卜十へべぺ一りl"),
)

# What even Latin alone confuses. `l` stands for 1 and l, `rn` for m. A capital I is the names' own care:
# i and l as such are told apart, or half of all short names would be taken.
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
    """Latin letters whose stroke or hook does not come off by decomposition: đ is d, ø is o."""
    table = {}
    for code in (*range(0x00C0, 0x02B0), *range(0x1E00, 0x1F00)):
        found = re.fullmatch(r"LATIN SMALL LETTER ([A-Z]) WITH .*", unicodedata.name(chr(code), ""))
        if found:
            table[chr(code)] = found[1].lower()
    return table


LOOK_ALIKES = _look_alikes()
BASE_LETTERS = _base_letters()
