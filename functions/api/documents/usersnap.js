// Loads Usersnap's widget once per page (https://help.usersnap.com/docs/api-for-usersnap-project).
(function () {
  "use strict";
  var widget = "https://widget.usersnap.com/global/load/";
  if (document.querySelector('script[src^="' + widget + '"]')) return;
  if (typeof window.onUsersnapCXLoad !== "function") {
    window.onUsersnapCXLoad = function (api) {
      api.init();
      window.Usersnap = api;
    };
  }
  var script = document.createElement("script");
  // Passes the page's nonce on: https://help.usersnap.com/docs/usersnap-with-csp
  var nonce = document.currentScript ? document.currentScript.nonce : "";
  if (nonce) script.nonce = nonce;
  script.async = true;
  script.src =
    widget +
    "SPACE_API_KEY?onload=onUsersnapCXLoad" +
    (nonce ? "&n=" + encodeURIComponent(nonce) : "");
  document.head.appendChild(script);
})();
