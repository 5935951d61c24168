// Sends a form with a picture and shows the progress. fetch() does not report how much has been sent, so
// this is an XMLHttpRequest. Without a chosen file the browser submits the form itself.

for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    const input = form.querySelector('input[type="file"]');
    if (!input.files.length) return;
    event.preventDefault();
    send(form);
  });
}

function send(form) {
  const bar = form.querySelector("[data-upload-progress]");
  const button = form.querySelector('[type="submit"]');
  const request = new XMLHttpRequest();

  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  });
  // The server has all bytes and has not answered yet: the bar shows no value until the answer.
  request.upload.addEventListener("load", () => bar.removeAttribute("value"));
  request.addEventListener("load", () => {
    if (request.status >= 200 && request.status < 300) location.assign(form.dataset.then);
    else refuse(request.response?.error?.message);
  });
  request.addEventListener("error", () => refuse());

  bar.value = 0;
  bar.hidden = false;
  button.disabled = true;
  form.querySelector('[role="alert"]').hidden = true;
  request.send(new FormData(form));

  function refuse(message = form.dataset.failed) {
    const alert = form.querySelector('[role="alert"]');
    bar.hidden = true;
    button.disabled = false;
    alert.textContent = message;
    alert.hidden = false;
    alert.scrollIntoView({ block: "nearest" });
  }
}
