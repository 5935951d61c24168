"""Two hundred strings that become a script if a page does not escape them, for every place in markup.

They combine a few ideas: the characters that leave the place, the code that runs there, and its spelling. Each calls
`alert` with its own number, and the test listens for it.
"""

from __future__ import annotations

from itertools import product

# Leaves a text, an attribute in either quotes, a comment, an element with raw text, JSON.
_BREAKS = (
    "", '">', "'>", "-->", "</title>", "</textarea>", "</script>", "</style>", "</noscript>", "</template>", "]]>",
    '"}]}</script>', "\\u003c/script\\u003e", "--!>", "</select>", "</svg>",
)  # fmt: skip
_RUNS = (
    "<script>alert({n})</script>",
    "<img src=x onerror=alert({n})>",
    "<svg onload=alert({n})>",
    "<details open ontoggle=alert({n})>",
    "<iframe srcdoc='&lt;script&gt;parent.alert({n})&lt;/script&gt;'></iframe>",
    "<input autofocus onfocus=alert({n})>",
    "<video><source onerror=alert({n})></video>",
    "<a href=javascript:alert({n}) id=clickme>click</a>",
)
_ODD = (
    '" autofocus onfocus=alert({n}) x="', "' autofocus onfocus=alert({n}) x='", "javascript:alert({n})",
    "JaVaScRiPt:alert({n})", " javascript:alert({n})", "java\tscript:alert({n})", "data:text/html,<script>alert({n})</script>",
    "&lt;script&gt;alert({n})&lt;/script&gt;", "&#60;img src=x onerror=alert({n})&#62;", "\\x3cscript\\x3ealert({n})",
    "{{constructor.constructor('alert({n})')()}}", "${alert({n})}", "{% raw %}{{alert({n})}}", "#{alert({n})}",
    "<%= alert({n}) %>", "<scr<script>ipt>alert({n})</scr</script>ipt>", "<ScRiPt>alert({n})</sCrIpT>", "<script/x>alert({n})</script>",
    "<script\n>alert({n})</script\n>", "<svg/onload=alert({n})>", "<svg><script>alert&#40;{n}&#41;</script>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert({n})>", "<svg><animate onbegin=alert({n}) attributeName=x>",
    "<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><image href=1 onerror=alert({n}) /></svg>#x'>",
    "<form action=javascript:alert({n})><button>x</button></form>", "<button formaction=javascript:alert({n})>x</button>",
    "<object data=javascript:alert({n})>", "<embed src=javascript:alert({n})>", "<base href=javascript:alert({n})//>",
    "<meta http-equiv=refresh content='0;url=javascript:alert({n})'>", "<link rel=stylesheet href=//evil.example/{n}.css>",
    "<style>*{background:url(//evil.example/{n})}</style>", "<div style=background:url(//evil.example/{n})>x</div>",
    "<marquee onstart=alert({n})>x</marquee>", "<body onload=alert({n})>", "<frameset onload=alert({n})>",
    "<template><script>alert({n})</script></template>", "<noscript><p title='</noscript><img src=x onerror=alert({n})>'>",
    "<a id=csrf_token name=body>x</a>", "<img name=getElementById>", "<form id=composer><input name=text></form>",
    "http://x/'onmouseover='alert({n})", "https://x/\"><img src=x onerror=alert({n})>", "https://x/<script>alert({n})</script>",
    "https://javascript:alert({n})@x/", "@<b>x</b> alert({n})", "@小王<img src=x onerror=alert({n})>", "\u2028alert({n})//",
    "';alert({n})//", "\\';alert({n})//", '";alert({n})//', "</script><svg/onload=alert({n})>", "<!--<script>alert({n})",
    "<![CDATA[<script>alert({n})</script>]]>", "<?xml-stylesheet href=javascript:alert({n})?>", "＜script＞alert({n})＜/script＞",
    "+ADw-script+AD4-alert({n})+ADw-/script+AD4-", "%3Cscript%3Ealert({n})%3C/script%3E", "<x onclick=alert({n}) tabindex=1 autofocus>x",
    "<isindex type=image src=1 onerror=alert({n})>", "<dialog open onclose=alert({n})>x", "<audio src=x onerror=alert({n})>",
    "<p popover id=p onbeforetoggle=alert({n})>x", "<img srcset='x 1x' onerror=alert({n})>", "<select><img src=x onerror=alert({n})>",
    "<xmp><img src=x onerror=alert({n})></xmp>", "<plaintext><img src=x onerror=alert({n})>", "a<!doctype html><img src=x onerror=alert({n})>",
    "<table><td background=javascript:alert({n})>", "<img src=`x`onerror=alert({n})>", "<slot onslotchange=alert({n})><b>x</b></slot>",
    "<message-menu onclick=alert({n})>",
)  # fmt: skip

HOSTILE = [
    pattern.replace("{n}", str(n))
    for n, pattern in enumerate([*(break_ + run for break_, run in product(_BREAKS, _RUNS)), *_ODD])
]
