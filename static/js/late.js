// Says what to do where the page stays empty: its modules did not arrive, or the browser is too old to run them. So this
// is a classic script, in the JavaScript of 2009. room.js reports by html[data-started].
(function () {
  var AFTER_MS = 15000;
  var root = document.documentElement;

  function show() {
    var late = document.getElementById("late");
    if (late && !root.hasAttribute("data-started")) late.hidden = false;
  }

  // A module that cannot be fetched or parsed is an error at once; a browser without modules tells nothing.
  window.addEventListener("error", function (event) {
    if (event.target && event.target.nodeName === "SCRIPT") show();
  }, true);
  setTimeout(show, "noModule" in document.createElement("script") ? AFTER_MS : 0);
})();
