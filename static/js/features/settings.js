// The room's settings that the page needs: its limits and its name. They can change while it is open.

export function start(room) {
  room.onHello(({ limits }) => Object.assign(room.limits, limits));
  room.onFrame("limits", ({ limits, room_name }) => {
    Object.assign(room.limits, limits);
    document.querySelector(".room-name bdi").textContent = room_name;
  });
}
