// Shows what to do if the page stays empty because its modules did not arrive, or because the browser is too old for
// them. For old browsers this is a classic script in the JavaScript of 2009. room.js sets html[data-started].
(function () {
  var AFTER_MS = 15000;
  var root = document.documentElement;

  function show() {
    var late = document.getElementById("late");
    if (late && !root.hasAttribute("data-started")) late.hidden = false;
  }

  // A module that cannot be fetched or parsed causes an error at once; a browser without modules reports nothing.
  window.addEventListener("error", function (event) {
    if (event.target && event.target.nodeName === "SCRIPT") show();
  }, true);
  setTimeout(show, "noModule" in document.createElement("script") ? AFTER_MS : 0);
})();
