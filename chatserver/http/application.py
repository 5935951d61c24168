"""The web application: the middleware, the templates, and the routes of all features."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web
from aiohttp.typedefs import Middleware

from chatserver.http import headers, middleware
from chatserver.http.access import Access
from chatserver.http.aiohttp_compat import expect_header, prebuilt
from chatserver.http.middleware import Guard
from chatserver.http.route import Route
from chatserver.http.site import SITE, AdministratorsPage

# aiohttp-session stores its session under a plain string, for which aiohttp 3.14 warns. Our keys are not plain strings.
warnings.filterwarnings("ignore", category=web.NotAppKeyWarning, module="aiohttp_session")


def build(guard: Guard) -> web.Application:
    """Make the application without routes. Call `add_routes` afterwards."""
    expect_header.install()
    app = web.Application(middlewares=[middleware.make_middleware(guard)])
    app[SITE] = guard.site
    app[prebuilt.HEADS] = prebuilt.ResponseHeads(guard.secure)
    app.on_response_prepare.append(headers.prepare_handler(guard.secure))
    return app


def load_templates(app: web.Application, templates: Path) -> jinja2.Environment:
    return aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # with `auto_reload`, Jinja would look at the template files for every page
    )


def add_routes(
    app: web.Application,
    features: Iterable[object],
    routes: dict[web.AbstractRoute, Route],
    with_session: Middleware,
) -> None:
    """Register the `ROUTES` of each feature, with handlers bound to the feature. Add each route to `routes`, and the
    administrators' pages to the site.

    Sessions begin and end on routes with Access.ANYONE, so these handlers get a Session of aiohttp-session.
    """
    for feature in features:
        declared: tuple[Route, ...] = getattr(feature, "ROUTES", ())
        for route in declared:
            bound = route.handler.__get__(feature)
            handler = partial(with_session, handler=bound) if route.access is Access.ANYONE else bound
            routes[app.router.add_route(route.method, route.path, handler)] = route
            if route.method == "GET" and route.has_head:
                routes[app.router.add_route("HEAD", route.path, handler)] = route
            if route.title:
                app[SITE].administration.append(AdministratorsPage(route.path, route.title))


def read_templates(app: web.Application) -> None:
    """Read and compile every template, in 0.2 s. Run it in a thread, so that no first visitor blocks the event loop.

    A page that is requested earlier compiles its own templates.
    """
    environment = aiohttp_jinja2.get_env(app)
    for name in environment.list_templates():
        environment.get_template(name)
