#!/usr/bin/env bash
# Take the steps of the Dockerfile where there is no engine and no registry: by buildah in a chroot, on
# stand-ins of both base images by debootstrap. In place of the compiler stands PROGRAM, an
# augury-server that was built before. Then the image is run, and its health asked for.
#
# As root on Debian, with buildah and debootstrap: .ci/image.sh PROGRAM FOLDER.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$(realpath "${1:?the augury-server that was built}")
place=$(realpath "${2:?a folder for what is made}")
mkdir -p "$place"
run() { buildah --root "$place/storage" --runroot "$place/run" --storage-driver vfs "$@"; }

# A folder as an image under this name.
stand_in() {
    local base
    base=$(run from scratch)
    run add --quiet "$base" "$1" / > /dev/null
    run commit --quiet --rm "$base" "$2" > /dev/null
}

[ -d "$place/root" ] || debootstrap --variant=minbase bookworm "$place/root" > "$place/debootstrap.log"
rm -rf "$place"/root/var/{cache/apt/archives/*.deb,lib/apt/lists/*} "$place"/root/usr/share/{doc,man,locale}/*
stand_in "$place/root" docker.io/library/debian:bookworm-slim
[ -d "$place/rust" ] || cp -a "$place/root" "$place/rust"
install "$program" "$place/rust/augury-server"
printf '#!/bin/sh\nset -ex\ninstall -D /augury-server target/release/augury-server\n' \
    > "$place/rust/usr/local/bin/cargo"
printf '#!/bin/sh\nset -ex\ntest -x "$1"\n' > "$place/rust/usr/local/bin/strip"
chmod +x "$place"/rust/usr/local/bin/{cargo,strip}
stand_in "$place/rust" docker.io/library/rust:1.95-slim-bookworm

run build --isolation chroot --pull-never --format docker --file deploy/docker/Dockerfile --tag augury \
    --ignorefile deploy/docker/Dockerfile.dockerignore .
run images
run inspect --type image --format '{{.Docker.Config.User}} {{.Docker.Config.Healthcheck}}' augury

# What it runs, as its user, and its health check beside it in the same root.
box=$(run from --pull-never localhost/augury)
run run --isolation chroot --user 10001:10001 "$box" -- bash -c '
    AUGURY_PORT=0 AUGURY_HTTP_PORT=19121 augury-server & server=$!
    export AUGURY_HTTP_PORT=19121
    for _ in $(seq 200); do augury-healthy 2> /dev/null && break; sleep 0.2; done
    augury-healthy && id && echo "it is healthy"
    kill "$server" && wait "$server" && ls -ln /data
    ! augury-healthy 2> /dev/null && echo "and is not without the server"'
run rm "$box" > /dev/null
