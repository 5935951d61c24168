#!/usr/bin/env bash
# aiohttp 3.14.5 with aiohttp-session 2.12.1 (Python 3.11).
#
# aiohttp 3.14 warns with NotAppKeyWarning when a request is given a value under a plain string;
# aiohttp-session keeps its storage and its session there. So an application in which warnings are
# errors (pytest's `filterwarnings = error`) answers 500 to the first request that asks for a
# session, although neither the application nor aiohttp-session does anything that is deprecated
# in its own documentation. Without the filter the same request is answered with 200.
#
# Seen: "strict: 500 NotAppKeyWarning" and "default: 200".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiohttp==3.14.5 aiohttp-session==2.12.1
cat > "$folder/try.py" <<'PYTHON'
import asyncio
import sys
import warnings

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp_session import SimpleCookieStorage, get_session, setup

seen = ""


async def visit(request: web.Request) -> web.Response:
    session = await get_session(request)
    session["visits"] = 1
    return web.Response(text="ok")


@web.middleware
async def name_the_error(request, handler):
    global seen
    try:
        return await handler(request)
    except Warning as warning:
        seen = type(warning).__name__
        raise web.HTTPInternalServerError from None


async def main() -> None:
    app = web.Application(middlewares=[name_the_error])
    setup(app, SimpleCookieStorage())
    app.router.add_get("/", visit)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/")
        print(answer.status, seen)


if sys.argv[1] == "strict":
    warnings.simplefilter("error")
else:
    warnings.simplefilter("ignore")
asyncio.run(main())
PYTHON
strict=$("$folder/venv/bin/python" "$folder/try.py" strict)
default=$("$folder/venv/bin/python" "$folder/try.py" default)
echo "strict: $strict"
echo "default: $default"
[ "$strict" = "500 NotAppKeyWarning" ] && [ "${default% }" = "200" ]
