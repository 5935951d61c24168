// Out of the page: to the clipboard, or to a file.

// True when it worked. The modern way exists on https and localhost only.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

export function save(address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = address.split("/").at(-1);
  link.click();
}

function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}
