# The server behind Varnish 6 or newer: save as /etc/varnish/default.vcl. For TLS hitch stands in front of it, with
# docs/deploy/hitch.conf as /etc/hitch/hitch.conf, and varnishd listens for it: `-a 127.0.0.1:6086,PROXY` in
# `systemctl edit varnish`.
#
# Settings of the server: CHAT_BASE_URL=https://chat.example.org and CHAT_TRUSTED_PROXIES=127.0.0.1 in /etc/chat.env.

vcl 4.1;

backend chat_room {
    .host = "127.0.0.1";
    .port = "8000";
    .first_byte_timeout = 90s;
}

# Varnish adds the client's address to X-Forwarded-For before this.
sub vcl_recv {
    if (req.http.Upgrade ~ "(?i)websocket") {
        return (pipe);
    }
    # Pages are the reader's own, and files have a year in the browser's cache: nothing is gained by a second copy.
    return (pass);
}

sub vcl_pipe {
    # Varnish removes both otherwise. Its pipe_timeout is 60 s; the server pings every 30 s.
    if (req.http.Upgrade) {
        set bereq.http.Upgrade = req.http.Upgrade;
        set bereq.http.Connection = req.http.Connection;
    }
}
