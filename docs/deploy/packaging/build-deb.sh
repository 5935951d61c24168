#!/bin/sh
# Builds chatserver_VERSION_ARCHITECTURE.deb for the Debian release that it runs on, whose Python the package needs:
#
#   sh docs/deploy/packaging/build-deb.sh DIRECTORY [WHEEL]
#
# Takes python3-venv and a package index for the files of requirements.lock, push.lock and push-build.lock. WHEEL is the
# project's own, built from the checkout where none is named. The package has the program in /opt/chat, with the extra
# `push`, the units, and a manual page. Installing it starts the server, and neither chat-push.service nor the backup
# timer; purging it erases what docs/deploy/uninstall.sh lists, the data too.
set -eu

directory=${1:?usage: build-deb.sh DIRECTORY [WHEEL]}
source=$(cd "$(dirname "$0")/../../.." && pwd)
wheel=${2:-$source}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"

# The program.
venv=$stage/opt/chat/.venv
python3 -m venv "$venv"
locked() { "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --require-hashes "$@"; }
locked -r "$source/requirements.lock"
locked -r "$source/docs/deploy/packaging/push-build.lock"
# Without build isolation, so that http-ece is built with what the line above installed.
locked --no-build-isolation --use-pep517 -r "$source/docs/deploy/packaging/push.lock"
"$venv/bin/pip" install --quiet --no-compile --no-deps "$wheel"
version=$("$venv/bin/chatserver" version | sed 's/^chatserver //')
python=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# The manual page, from the program's own help.
mkdir -p "$stage/usr/share/man/man1"
{
    printf '.TH CHATSERVER 1 "" "chatserver %s"\n.SH NAME\nchatserver \\- a chat room on one host\n' "$version"
    for command in '' $("$venv/bin/chatserver" --help | sed -n 's/^    \([a-z-]*\)  *.*/\1/p'); do
        printf '.SH "chatserver%s"\n.nf\n' "${command:+ $command}"
        "$venv/bin/chatserver" $command --help | sed 's/\\/\\e/g; s/-/\\-/g; s/^\([.'"'"']\)/\\\&\1/'
        printf '.fi\n'
    done
} | gzip -9n >"$stage/usr/share/man/man1/chatserver.1.gz"

# It was made elsewhere than where it will be.
"$venv/bin/python" -m pip uninstall --quiet --yes setuptools pip
find "$venv" -name __pycache__ -prune -exec rm -rf {} +
grep -rlIF "$stage" "$venv/bin" "$venv/pyvenv.cfg" | while IFS= read -r file; do sed -i "s|$stage||g" "$file"; done
python3 -m compileall -q -s "$stage" "$venv/lib"

# The units, and what goes with them.
mkdir -p "$stage/usr/lib/systemd/system" "$stage/usr/bin" "$stage/usr/share/doc/chatserver" "$stage/DEBIAN"
cp "$source/chat.service" "$source/chat.socket" "$source/docs/deploy/chat@.service" "$source/docs/deploy/chat@.socket" \
    "$source/docs/deploy/chat-backup.service" "$source/docs/deploy/chat-backup.timer" \
    "$source/docs/deploy/chat-push.service" "$stage/usr/lib/systemd/system/"
ln -s /opt/chat/.venv/bin/chatserver "$stage/usr/bin/chatserver"
cp "$source/LICENSE" "$stage/usr/share/doc/chatserver/copyright"
cp -r "$source/docs/deploy" "$stage/usr/share/doc/chatserver/examples"
rm -r "$stage/usr/share/doc/chatserver/examples/packaging"

cat >"$stage/DEBIAN/control" <<EOF
Package: chatserver
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: the chatserver project <root@localhost>
Depends: python3 (>= $python), python3 (<< ${python%.*}.$((${python#*.} + 1)))
Section: net
Priority: optional
Description: chat room on one host
 One process and one SQLite file. The first administrator is made with
 "chatserver create-admin NAME --data-dir /var/lib/chat".
EOF

cat >"$stage/DEBIAN/postinst" <<'EOF'
#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if [ -z "$2" ]; then systemctl enable --quiet --now chat.socket chat.service
    else systemctl try-restart chat.service 'chat@*.service'; fi
fi
EOF

cat >"$stage/DEBIAN/prerm" <<'EOF'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --quiet --now chat-backup.timer chat-push.service chat.socket chat.service
    systemctl stop 'chat@*.socket' 'chat@*.service'
fi
EOF

{
    printf '#!/bin/sh\nset -e\n'
    printf 'if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi\n'
    printf '[ "$1" = purge ] || exit 0\nset -- --erase\n'
    sed 1d "$source/docs/deploy/uninstall.sh"
} >"$stage/DEBIAN/postrm"
chmod 755 "$stage/DEBIAN/postinst" "$stage/DEBIAN/prerm" "$stage/DEBIAN/postrm"

dpkg-deb --root-owner-group --build "$stage" "$directory"
