#!/usr/bin/env bash
# Build the image as its Dockerfile says and run it, where no engine and no registry are: buildah in a
# chroot, on stand-ins of both base images by debootstrap, with the compiler that is here.
#
# As root on Debian, with buildah and debootstrap: .ci/image.sh FOLDER. CARGO_TARGET, if set, is what the
# compiler has built before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
place=$(realpath "${1:?a folder for what is made}")
mkdir -p "$place"
toolchain=$(rustc --print sysroot)
registry=${CARGO_HOME:-$HOME/.cargo}/registry
run() { buildah --root "$place/storage" --runroot "$place/run" --storage-driver vfs "$@"; }

[ -d "$place/root" ] || debootstrap --variant=minbase bookworm "$place/root" > "$place/debootstrap.log"
rm -rf "$place"/root/var/{cache/apt/archives/*.deb,lib/apt/lists/*} "$place"/root/usr/share/{doc,man,locale}/*
base=$(run from scratch)
run add --quiet "$base" "$place/root" / > /dev/null
run commit --quiet --rm "$base" docker.io/library/debian:bookworm-slim > /dev/null

base=$(run from --pull-never docker.io/library/debian:bookworm-slim)
run run --isolation chroot "$base" -- sh -c 'apt-get update -qq && apt-get install -qq --yes \
    --no-install-recommends gcc libc6-dev ca-certificates > /dev/null && rm -rf /var/lib/apt/lists/*'
run config --env PATH="$toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    --env CARGO_HOME="$(dirname "$registry")" "$base"
run commit --quiet --rm "$base" docker.io/library/rust:1.95-slim-bookworm > /dev/null

run build --isolation chroot --pull-never --format docker --file deploy/docker/Dockerfile --tag augury \
    --ignorefile deploy/docker/Dockerfile.dockerignore \
    --volume "$toolchain:$toolchain:ro" --volume "$registry:$registry" \
    ${CARGO_TARGET:+--volume "$(realpath "$CARGO_TARGET"):/src/target"} .
run images
run inspect --type image --format '{{.Docker.Config.User}} {{.Docker.Config.Healthcheck}}' augury

# What it runs, as its user, and its health check beside it in the same container.
box=$(run from --pull-never localhost/augury)
run run --isolation chroot --user 10001:10001 "$box" -- bash -c '
    AUGURY_PORT=0 AUGURY_HTTP_PORT=9121 augury-server & server=$!
    for _ in $(seq 100); do augury-healthy 2> /dev/null && break; sleep 0.2; done
    augury-healthy && id && echo "it is healthy"
    kill "$server" && wait "$server" && ls -ln /data
    ! augury-healthy 2> /dev/null && echo "and is not without the server"'
run rm "$box" > /dev/null
