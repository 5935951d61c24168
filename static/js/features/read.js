// How far the member has read. The server keeps it for all their browsers. A page sends it only while
// it is visible and at its end (elements/timeline.js decides that), at most once a second.

const SEND_AFTER_MS = 1000;

export function start(room) {
  if (!room.me) return;
  const { view } = room;
  let waiting = false;
  let serverKnows = room.page.read_id ?? 0;

  const send = () => {
    if (view.lastRead <= serverKnows || room.userChanged) return;
    if (room.socket.send({ type: "read", id: view.lastRead })) serverKnows = view.lastRead;
  };
  const sendLater = () => {
    if (waiting || view.lastRead <= serverKnows) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      send();
    }, SEND_AFTER_MS);
  };

  view.addEventListener("read", sendLater);
  document.addEventListener("visibilitychange", () => document.hidden && send());
  // The member may have read more in another browser, before this page connected or just now.
  const readElsewhere = (id) => {
    serverKnows = id;
    view.readTo(id);
    sendLater();
  };
  room.onHello(({ read_id }) => room.userChanged || readElsewhere(read_id ?? 0));
  room.onFrame("read", ({ id }) => readElsewhere(id));
  sendLater();
}
