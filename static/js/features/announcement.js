// The announcement: a picture in a dialog, whose buttons are hidden while there is none.

export function start(room) {
  show(room.page.announcement);
  room.onHello(({ announcement }) => show(announcement));
  room.onFrame("announcement", ({ image }) => show(image));
}

function show(image) {
  for (const opener of document.querySelectorAll("[data-opens=announcement]")) opener.hidden = !image;
  const picture = document.querySelector("#announcement img");
  if (image) picture.src = image;
  else picture.removeAttribute("src");
}
