#!/bin/sh
# Removes the server as docs/install.md installs it, with all that it and its commands have left on this host.
#
#   sh docs/deploy/uninstall.sh            lists what would be removed, and changes nothing
#   sh docs/deploy/uninstall.sh --erase    stops the services, and erases all of it for good
#
# --root DIRECTORY looks there instead of in /, and stops no service. What remains: lines in the journal, archives that
# somebody saved elsewhere, and the configuration of a proxy.
set -eu

erase=no root=
while [ $# -gt 0 ]; do
    case $1 in
    --erase) erase=yes ;;
    --root) root=${2:?--root needs a directory}; shift ;;
    *) echo "usage: uninstall.sh [--erase] [--root DIRECTORY]" >&2; exit 2 ;;
    esac
    shift
done

# Patterns of the shell. [0-9]* is the port of a room of chat@.service.
patterns='
/etc/systemd/system/chat.service
/etc/systemd/system/chat.service.d
/etc/systemd/system/chat.socket
/etc/systemd/system/chat.socket.d
/etc/systemd/system/chat@.service
/etc/systemd/system/chat@.socket
/etc/systemd/system/chat@*.service.d
/etc/systemd/system/chat@*.socket.d
/etc/systemd/system/chat-backup.service
/etc/systemd/system/chat-backup.service.d
/etc/systemd/system/chat-backup.timer
/etc/systemd/system/chat-backup.timer.d
/etc/systemd/system/chat-push.service
/etc/systemd/system/chat-push.service.d
/etc/systemd/system/*.wants/chat.service
/etc/systemd/system/*.wants/chat.socket
/etc/systemd/system/*.wants/chat@*.service
/etc/systemd/system/*.wants/chat@*.socket
/etc/systemd/system/*.wants/chat-backup.timer
/etc/systemd/system/*.wants/chat-push.service
/etc/chat.env
/etc/chat-[0-9]*.env
/etc/chat-push.env
/etc/credstore/chat.metrics_token
/etc/credstore/chat.tls_cert
/etc/credstore/chat.tls_key
/etc/fail2ban/filter.d/chat.conf
/etc/fail2ban/jail.d/chat.conf
/usr/local/bin/chatserver
/opt/chat
/var/lib/chat
/var/lib/chat-[0-9]*
/var/lib/private/chat
/var/lib/private/chat-[0-9]*
/var/lib/chat.before-restore-*
/var/lib/private/chat.before-restore-*
/var/lib/.chat.restoring-*
/var/lib/private/.chat.restoring-*
/var/lib/systemd/timers/stamp-chat-backup.timer
/var/backups/chat
/var/backups/chat-before-upgrade.tar
'

found() {
    for pattern in $patterns; do
        for path in "$root"$pattern; do
            if [ -e "$path" ] || [ -L "$path" ]; then printf '%s\n' "$path"; fi
        done
    done
}

if [ "$erase" = no ]; then
    found
    exit
fi

if [ -z "$root" ]; then
    systemctl disable --quiet --now chat-backup.timer chat-push.service chat.socket chat.service 2>/dev/null || true
    systemctl stop 'chat@*.socket' 'chat@*.service' 2>/dev/null || true
fi
found | while IFS= read -r path; do
    rm -rf -- "$path"
    printf 'removed %s\n' "$path"
done
if [ -z "$root" ]; then
    systemctl daemon-reload
    systemctl reset-failed 'chat*' 2>/dev/null || true
fi
