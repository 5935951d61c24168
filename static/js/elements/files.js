// Pictures that come by the clipboard, by dragging, or from the phone's camera and album.

export function listenForFiles(room) {
  document.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    // A spreadsheet offers its cells as text and as a picture of them: the text is meant.
    if (files.length === 0 || types.includes("text/plain")) return;
    event.preventDefault();
    room.composer.addFiles([...files]);
  });
  listenForDrops(room);
  listenForPicking(room);
}

function listenForDrops(room) {
  const { documentElement: page } = document;
  const carriesFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    page.classList.add("dropping");
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) page.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    page.classList.remove("dropping");
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files.length) room.composer.addFiles([...event.dataTransfer.files]);
  });
}

// [data-pick=album] and [data-pick=camera] press the one file input in its two moods.
function listenForPicking(room) {
  const input = document.getElementById("composer").elements.image;
  document.addEventListener("click", ({ target }) => {
    const pressed = target.closest?.("[data-pick]");
    if (!pressed) return;
    pressed.closest("dialog")?.close();
    if (pressed.dataset.pick === "camera") input.setAttribute("capture", "environment");
    else input.removeAttribute("capture");
    input.click();
  });
}
