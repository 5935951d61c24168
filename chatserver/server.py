"""The server: every part is built, started and stopped here. The only file that imports every feature."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping

from aiohttp import web
from aiohttp_session import session_middleware

from chatserver import binding, systemd
from chatserver.core.clock import Clock, SystemClock
from chatserver.core.config import Config
from chatserver.core.deadline_timer import running_timers
from chatserver.core.events import ContentErased
from chatserver.db import data_dir, vacuum
from chatserver.db import health as database_health
from chatserver.db.data_lock import DataLock
from chatserver.db.database import Database
from chatserver.db.disk_reserve import DiskReserve
from chatserver.db.eraser import Eraser
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store as account_store
from chatserver.features.accounts.administrators import Administrators
from chatserver.features.accounts.card import MemberCard
from chatserver.features.accounts.connections import MemberConnections
from chatserver.features.accounts.erased import erased_old_names
from chatserver.features.accounts.login import Login
from chatserver.features.accounts.login_failures import LoginFailures
from chatserver.features.accounts.member_list import MemberList
from chatserver.features.accounts.moderate import Moderate
from chatserver.features.accounts.mutes import Mutes
from chatserver.features.accounts.name_search import NameSearch
from chatserver.features.accounts.password_links import PasswordLinks
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.accounts.profile import Profile
from chatserver.features.accounts.register import Register
from chatserver.features.accounts.rename import Rename
from chatserver.features.accounts.session_cookie import SessionCookie
from chatserver.features.accounts.sessions import Sessions
from chatserver.features.announcements import store as announcement_store
from chatserver.features.announcements.announcement import Announcement
from chatserver.features.announcements.notice import Notice, erased_notice
from chatserver.features.announcements.preset_picture import PresetPicture
from chatserver.features.audit.audit import Audit
from chatserver.features.bots.bots import Bots
from chatserver.features.bots.tokens import BotTokens
from chatserver.features.invites.invites import Invites
from chatserver.features.ledger.ledger import Ledger
from chatserver.features.ledger.ledger_export import LedgerExport
from chatserver.features.ledger.ledger_page import LedgerPage
from chatserver.features.ledger.marks import Marks
from chatserver.features.ledger.readings import Readings
from chatserver.features.messages import store as message_store
from chatserver.features.messages.delete import Delete
from chatserver.features.messages.edit import Edit
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.erased import erased_messages
from chatserver.features.messages.expiry import Expiry
from chatserver.features.messages.history import History
from chatserver.features.messages.media import Media
from chatserver.features.messages.post import Post
from chatserver.features.messages.post_form import PostForm
from chatserver.features.messages.react import React
from chatserver.features.messages.read_marks import ReadMarks
from chatserver.features.messages.recall import Recall
from chatserver.features.messages.recent import RecentMessages
from chatserver.features.messages.search import Search
from chatserver.features.ordering import member_orders
from chatserver.features.ordering.amend import Amendments
from chatserver.features.ordering.change import ChangeOrder
from chatserver.features.ordering.counts import OrderCounts
from chatserver.features.ordering.erased import erased_orders
from chatserver.features.ordering.expire import LedgerExpiry
from chatserver.features.ordering.place import PlaceOrder
from chatserver.features.ordering.presets import Presets
from chatserver.features.ordering.templates import Templates
from chatserver.features.ordering.window import OrderingWindows
from chatserver.features.ordering.withdraw import WithdrawOrder
from chatserver.features.planning.plan_page import PlanPage
from chatserver.features.planning.planned import PlannedWindows
from chatserver.features.presence.feature_fields import FeatureFields
from chatserver.features.presence.hello import Hello
from chatserver.features.presence.ping import Ping
from chatserver.features.presence.presence import Presence
from chatserver.features.presence.room_page import RoomPage
from chatserver.features.presence.socket import Socket
from chatserver.features.presence.typing import Typing
from chatserver.features.push.delivery import Delivery
from chatserver.features.push.handover import Handover
from chatserver.features.push.notify import Notify
from chatserver.features.push.queue import PushQueue
from chatserver.features.push.subscriptions import PushSubscriptions
from chatserver.features.settings.change import ChangeSettings, WouldErase
from chatserver.features.settings.connections import SettingsConnections
from chatserver.features.settings.manifest import Manifest
from chatserver.features.settings.settings import Settings
from chatserver.features.setup.setup import Setup
from chatserver.features.status.health import Health
from chatserver.features.status.metrics import Metrics
from chatserver.features.status.metrics_endpoint import MetricsEndpoint
from chatserver.features.status.page import StatusPage
from chatserver.http import assets, secret_key
from chatserver.http.aiohttp_compat.request_handler import HandlerOptions
from chatserver.http.application import add_routes, build, load_templates
from chatserver.http.certificate import Certificate
from chatserver.http.client_frame import FrameContext
from chatserver.http.csrf import CSRFTokens
from chatserver.http.http_connections import HttpConnections
from chatserver.http.listening import listening, reachable
from chatserver.http.middleware import Guard
from chatserver.http.origin import OriginPolicy
from chatserver.http.route import Route
from chatserver.http.site import Site
from chatserver.http.static_files import StaticTree
from chatserver.http.upload_concurrency import UploadConcurrency
from chatserver.http.uploads import Uploads
from chatserver.media.files import MediaFiles
from chatserver.media.webp_copies import WebpCopies
from chatserver.media.workers import ImageWorkers
from chatserver.ops.control.operations import Operation
from chatserver.ops.control.server import ControlServer, push_socket
from chatserver.ops.snapshot import Snapshot
from chatserver.realtime.heartbeat import beating
from chatserver.realtime.hub import Hub
from chatserver.realtime.publisher import Publisher

log = logging.getLogger(__name__)


class Room:
    """All features, built with the parts that they need. Call `load` before anything else.

    An operator's command also builds a Room if no server runs; that Room never serves.
    """

    def __init__(
        self,
        config: Config,
        sources: Mapping[str, str],
        database: Database,
        clock: Clock,
        hasher: PasswordHasher,
        files: MediaFiles,
        workers: ImageWorkers,
        hub: Hub,
    ) -> None:
        self.database = database
        self.hub = hub
        self.workers = workers
        self.origin = OriginPolicy(config)
        self.settings = settings = Settings(config, sources)
        encoder = MessageEncoder(config.timezone)
        uploads = Uploads(settings, files, workers)
        self._build_accounts(config, clock, hasher, uploads)
        self._build_ordering(clock, encoder)
        self._build_messages(clock, encoder, uploads, files)

        self.announcement = Announcement(database, clock, uploads)
        self.notice = Notice(database, clock)
        self.preset_picture = PresetPicture(database, settings, clock, encoder, uploads, files)
        queue = PushQueue()
        self.push_delivery = Delivery(settings, clock, queue)
        self.push = Handover(database, settings, clock, queue, self.push_delivery, config.data_dir, config.base_url)
        self.push_subscriptions = PushSubscriptions(database, settings, clock, self.push.keys)
        self.notify = Notify(database, settings, clock, hub, queue)
        self.change_settings = ChangeSettings(database, settings, clock, self._erasures, self.push.notes)
        self.settings_connections = SettingsConnections(hub)
        self.presence = Presence(hub)
        self.typing = Typing(database, clock, hub)
        self.ping = Ping(clock)
        self.metrics = Metrics(hub, database, self.recent, workers, clock, self.push_delivery)
        self.metrics_endpoint = MetricsEndpoint(settings, self.origin, self.metrics)
        self.status_page = StatusPage(self.metrics)
        self.health = Health(database)
        self.snapshot = Snapshot(database, settings, clock, self.trim, files_in_use, files)

    def _build_accounts(self, config: Config, clock: Clock, hasher: PasswordHasher, uploads: Uploads) -> None:
        database, settings = self.database, self.settings
        failures = LoginFailures(clock)
        self.sessions = Sessions(database, clock)
        self.session_cookie = SessionCookie(self.sessions, self.origin, config.secure)
        self.invites = Invites(database, settings, clock)
        self.register = Register(database, settings, clock, hasher, self.invites, uploads, self.session_cookie)
        self.login = Login(database, hasher, failures, self.session_cookie)
        self.rename = Rename(database, clock)
        self.profile = Profile(database, hasher, clock, uploads, self.sessions, self.rename)
        self.members = Moderate(database, settings, clock)
        self.mutes = Mutes(database, clock)
        self.card = MemberCard(database, clock, self.hub, member_orders.count, message_store.has_posted)
        self.name_search = NameSearch(database, clock)
        self.member_list = MemberList(database, clock, self.name_search)
        self.password_links = PasswordLinks(database, settings, clock, hasher, failures, self.session_cookie)
        self.administrators = Administrators(database, clock, hasher, failures)
        self.member_connections = MemberConnections(self.hub)
        self.bots = Bots(database, clock)
        self.audit = Audit(database, clock)
        self.bot_tokens = BotTokens(database, clock, self.origin, self.session_cookie.find)
        self.setup = Setup(database, settings, clock, hasher, self.session_cookie)

    def _build_ordering(self, clock: Clock, encoder: MessageEncoder) -> None:
        database, settings = self.database, self.settings
        amendments = Amendments(settings, encoder)
        self.windows = OrderingWindows(database, settings, clock, encoder)
        self.presets = Presets(self.windows, encoder)
        self.planned = PlannedWindows(database, settings, clock, self.windows)
        self.plan_page = PlanPage(database, settings, self.planned)
        self.order_counts = OrderCounts(clock, self.hub)
        self.place_order = PlaceOrder(database, settings, clock, encoder)
        self.change_order = ChangeOrder(database, clock, encoder, self.windows, amendments)
        self.withdraw_order = WithdrawOrder(self.windows, amendments)
        self.ledger = Ledger(database, clock, self.planned.hello_fields)
        self.ledger_page = LedgerPage(database, self.ledger)
        self.ledger_export = LedgerExport(database, settings, clock)
        self.templates = Templates(database, clock, self.windows)
        self.marks = Marks(database, clock)
        self.readings = Readings(database, clock)

    def _build_messages(self, clock: Clock, encoder: MessageEncoder, uploads: Uploads, files: MediaFiles) -> None:
        database, settings = self.database, self.settings
        self.post = Post(database, settings, clock, encoder)
        self.post_form = PostForm(self.post, encoder, uploads)
        self.recall = Recall(database, clock, encoder, self.withdraw_order.withdraw)
        self.delete = Delete(database, clock, encoder, self.withdraw_order.withdraw)
        self.edit = Edit(database, settings, clock, encoder)
        self.react = React(database, clock, encoder)
        self.read_marks = ReadMarks(database)
        self.expiry = Expiry(database, settings, clock)
        self.ledger_expiry = LedgerExpiry(database, settings, clock, self.expiry)
        self.recent = RecentMessages(encoder)
        self.search = Search(database)
        self.history = History(database, settings, encoder, self.recent, self.search)
        self.media = Media(database, files, WebpCopies(files, self.workers, lambda: settings.now.image_max_bytes))

    def _erasures(self) -> dict[str, WouldErase]:
        return {
            "messages": self.expiry.would_erase,
            "ledgers": self.ledger_expiry.would_erase,
            "guests": lambda tx, config: self.hub.guests if config.guests == "none" else 0,
        }

    def trim(self, tx: Transaction) -> None:
        """Erase content that has expired."""
        self.expiry.trim(tx)
        self.ledger_expiry.trim(tx)
        self.rename.trim(tx)

    def features(self) -> list[object]:
        return [*vars(self).values()]

    async def load(self) -> None:
        """Apply the settings that administrators have changed."""
        await self.change_settings.load()

    async def load_content(self) -> None:
        """Load the data that features keep in memory. Call it after old content was erased. Only a server needs this
        data."""
        await self.database.keep_rows("users", account_store.ACCOUNT_COLUMNS)
        await self.mutes.load()
        await self.recent.load(self.database)
        for feature in (self.windows, self.planned, self.announcement, self.notice, self.notify):
            await feature.load()

    def feature_fields(self) -> FeatureFields:
        of_room = [self.recent.hello_fields, self.settings.hello_fields, self.windows.hello_fields]
        return FeatureFields(
            [*of_room, self.planned.hello_fields, self.announcement.hello_fields, self.notice.hello_fields]
        )

    def operations(self) -> dict[str, Operation]:
        """The operations that operators' commands call, by name."""
        return binding.operations(self.features())


def files_in_use(tx: Transaction) -> list[str]:
    """The names of all files of the media directory that database rows refer to."""
    return message_store.all_files(tx) + announcement_store.all_files(tx) + account_store.avatars(tx)


def erased(tx: Transaction) -> Callable[[Transaction], int]:
    """Make a function that erases from an upgrade copy what was erased in the database: see db/vacuum.py."""
    parts = erased_messages(tx), erased_orders(tx), erased_notice(tx), erased_old_names(tx)
    return lambda copy: sum(erase(copy) for erase in parts)


@contextlib.asynccontextmanager
async def open_operations(config: Config) -> AsyncIterator[Mapping[str, Operation]]:
    """Build a room without a server, for its operations. This process must have locked the data directory."""
    async with contextlib.AsyncExitStack() as stack:
        database = await Database.open(config.data_dir / "chat.db")
        stack.push_async_callback(database.close)
        hasher = PasswordHasher(config.bcrypt_rounds)
        stack.callback(hasher.close)
        clock = SystemClock()
        files = MediaFiles(config.data_dir / "media")
        room = Room(config, {}, database, clock, hasher, files, ImageWorkers(), Hub(clock))
        await room.load()
        yield room.operations()


class Server:
    """A running server, as `serve` and the tests use it."""

    def __init__(
        self, address: str, setup_token: str, room: Room, app: web.Application, certificate: Certificate | None
    ) -> None:
        self.address = address
        self.setup_token = setup_token
        self.room = room
        self.app = app
        self._certificate = certificate

    def reload(self) -> None:
        """Read the certificate again."""
        if self._certificate is not None:
            self._certificate.reload()


@contextlib.asynccontextmanager
async def running(config: Config, clock: Clock, sources: Mapping[str, str] | None = None) -> AsyncIterator[Server]:
    """Start every part in order, and stop the parts in the reverse order.

    Raises DataLocked if another process has locked the data directory, DatabaseUnusable for a database
    that cannot be used, and OSError for an address that cannot be bound.
    """
    async with contextlib.AsyncExitStack() as stack:
        data_dir.prepare(config.data_dir)
        stack.enter_context(DataLock(config.data_dir))
        database = await Database.open(config.data_dir / "chat.db", DiskReserve(config.data_dir / "ballast"))
        stack.push_async_callback(database.close)
        files = MediaFiles(config.data_dir / "media")
        workers = await stack.enter_async_context(ImageWorkers())
        hasher = PasswordHasher(config.bcrypt_rounds)
        stack.callback(hasher.close)
        hub = Hub(clock)

        room = Room(config, sources or {}, database, clock, hasher, files, workers, hub)
        stack.callback(room.presence.stop)
        stack.callback(room.order_counts.stop)
        await room.load()
        # Only the server does this, because an operator's command may have other settings and must erase nothing.
        database.before_each_commit(room.expiry.trim)
        await room.expiry.expire()
        await room.ledger_expiry.expire()
        await files.sweep(set(await database.run(files_in_use)))
        await room.load_content()

        publisher = Publisher(hub)
        binding.subscribe(publisher, room.features())
        timers = binding.timers(room.features(), publisher, clock)
        eraser = Eraser(files.erase, lambda: vacuum.vacuum(database, erased))
        publisher.subscribe(ContentErased, eraser.on_erased)
        database.publish_to(publisher)
        await stack.enter_async_context(eraser.running())
        await stack.enter_async_context(running_timers(timers))
        await stack.enter_async_context(beating(hub, room.metrics.beat))

        app = _application(config, clock, room, publisher, files)
        await room.login.load()
        setup_token = await room.setup.prepare()
        certificate = Certificate(config.tls_cert, config.tls_key) if config.tls_cert else None
        tls = certificate.context if certificate else None
        connections = HttpConnections(lambda: room.settings.now.connections_per_address)
        options = HandlerOptions(config.secure, config.language, connections, room.origin.peer_address)
        address = await stack.enter_async_context(listening(app, config, hub, options, tls, systemd.listen_sockets()))
        control = ControlServer(config.data_dir / "control.sock", room.operations(), reachable(address))
        await stack.enter_async_context(control.running())
        await stack.enter_async_context(push_socket(config.data_dir, room.push.operations(), room.push.stop))
        await stack.enter_async_context(systemd.watchdog(lambda: database_health.probe(database)))
        yield Server(address, setup_token, room, app, certificate)


def _application(config: Config, clock: Clock, room: Room, publisher: Publisher, files: MediaFiles) -> web.Application:
    static = StaticTree(assets.static_dir())
    secret = secret_key.load(config.data_dir)
    room.session_cookie.name_after(secret)
    tokens = CSRFTokens(secret)
    site = Site(room.settings, static, tokens, room.origin, room.metrics.count_error, room.metrics.count_answer)
    routes: dict[web.AbstractRoute, Route] = {}
    find_session = room.bot_tokens.find_session
    new_upload = room.workers.preparing(files.new_upload_path)
    app = build(Guard(site, routes, find_session, new_upload, UploadConcurrency(), config.secure))
    environment = load_templates(app, assets.templates_dir())
    handlers = binding.frame_handlers(room.features())
    context = FrameContext(room.hub, publisher, clock, handlers, room.metrics.count_error)
    feature_fields = room.feature_fields()
    state = room.recent, room.read_marks, room.mutes, room.presence
    page = RoomPage(room.settings, clock, environment, *state, room.notice.plain, feature_fields)
    hello = Hello(feature_fields, static.version, room.mutes.until_ms)
    websocket = Socket(
        room.database, room.settings, clock, room.recent, room.read_marks, room.presence, find_session, context, hello
    )
    features = [*room.features(), page, websocket, static, Manifest(room.settings, static)]
    add_routes(app, features, routes, session_middleware(room.session_cookie))
    return app
