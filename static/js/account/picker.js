// A file input with a preview that can be removed; pictures can be dropped on it too.

for (const picker of document.querySelectorAll("[data-picker]")) enhance(picker);

function enhance(picker) {
  const part = (name) => picker.querySelector(`[data-picker-${name}]`);
  const input = picker.querySelector('input[type="file"]');
  const submit = picker.closest("form").querySelector("[data-picker-submit]");
  let address = "";

  input.addEventListener("change", show);
  part("remove").addEventListener("click", () => {
    input.value = "";
    show();
    input.focus();
  });
  // This browser cannot show the picture (usually HEIC), but the server may be able to read it.
  part("preview").addEventListener("error", () => {
    part("preview").hidden = true;
    part("now").hidden = false;
  });
  acceptDrops();
  part("buttons").hidden = false;
  picker.dataset.ready = "";
  show(); // the browser may have kept the chosen file when the page was reloaded

  function show() {
    const file = input.files[0];
    if (address) URL.revokeObjectURL(address);
    address = file ? URL.createObjectURL(file) : "";
    part("preview").hidden = !file;
    part("now").hidden = Boolean(file);
    part("remove").hidden = !file;
    part("name").hidden = !file;
    part("name").textContent = file?.name ?? "";
    if (file) part("preview").src = address;
    else part("preview").removeAttribute("src");
    if (submit) submit.hidden = !file; // no file is chosen yet
  }

  function acceptDrops() {
    picker.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      picker.dataset.over = "";
    });
    picker.addEventListener("dragleave", (event) => {
      if (!picker.contains(event.relatedTarget)) delete picker.dataset.over;
    });
    picker.addEventListener("drop", (event) => {
      delete picker.dataset.over;
      const file = [...event.dataTransfer.files].find((one) => one.type.startsWith("image/"));
      if (!file) return;
      event.preventDefault();
      const chosen = new DataTransfer();
      chosen.items.add(file);
      input.files = chosen.files;
      show();
    });
  }
}
