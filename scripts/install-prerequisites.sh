#!/usr/bin/env bash
# Installs what Casebook needs and the machine lacks: PostgreSQL 15 or later, nats-server, a C compiler, setpriv, and
# Python with `cryptography` for the tests, which verify bundles a second time with it.
# Only Debian's packages; no service is left running and no database cluster is made. Quiet when nothing is missing.
set -euo pipefail

readonly POSTGRES_MAJORS="18 17 16 15"
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { echo "prerequisites: $*" >&2; }

has_postgres() {
    local major program
    for major in $POSTGRES_MAJORS; do
        [ -x "/usr/lib/postgresql/$major/bin/initdb" ] && return
    done
    for program in "$(pg_config --bindir 2>/dev/null || true)/postgres" "$(command -v postgres || true)"; do
        for major in $POSTGRES_MAJORS; do
            [ -x "$program" ] && [ -x "$(dirname "$program")/initdb" ] &&
                "$program" --version | grep -q "(PostgreSQL) $major" && return
        done
    done
    return 1
}

has_python_cryptography() {
    python3 -c 'from cryptography.hazmat.primitives.asymmetric import ed25519' 2>/dev/null
}

# What is missing, as Debian's packages; `postgresql` stands for the newest server that we know.
missing() {
    has_postgres || echo postgresql
    command -v nats-server >/dev/null || echo nats-server
    command -v setpriv >/dev/null || echo util-linux
    command -v cc >/dev/null || echo build-essential
    has_python_cryptography || echo python3-cryptography
}

newest_postgres() {
    local major
    for major in $POSTGRES_MAJORS; do
        if apt-cache show "postgresql-$major" >/dev/null 2>&1; then
            echo "postgresql-$major"
            return
        fi
    done
    say "this release has no PostgreSQL 15 or later; the PostgreSQL project's own package source has it"
    exit 1
}

# Files that keep packages from starting services and from making a cluster while they are installed.
# A file that is there already is somebody's decision, and stays.
readonly POLICY=/usr/sbin/policy-rc.d
readonly CLUSTER_FOLDER=/etc/postgresql-common/createcluster.d
readonly NO_CLUSTER=$CLUSTER_FOLDER/zz-casebook-install.conf
made=()

hold_services_back() {
    if [ ! -e "$POLICY" ]; then
        printf '#!/bin/sh\n# Made by casebook for the time of one installation.\nexit 101\n' >"$POLICY"
        made+=("$POLICY")
        chmod 755 "$POLICY"
    fi
    mkdir -p "$CLUSTER_FOLDER"
    echo "create_main_cluster = false" >"$NO_CLUSTER"
    made+=("$NO_CLUSTER")
}

let_services_go() {
    [ ${#made[@]} -eq 0 ] || rm -f "${made[@]}"
    rmdir --ignore-fail-on-non-empty "$CLUSTER_FOLDER" "$(dirname "$CLUSTER_FOLDER")" 2>/dev/null || true
}

# A package enables its service for the next start of the machine; a service that we brought stays off, one that
# was there before us stays as it is.
services_of() {
    local package
    command -v systemctl >/dev/null || return 0
    for package in "$@"; do
        case $package in
        nats-server) echo nats-server.service ;;
        postgresql) dpkg -s postgresql-common >/dev/null 2>&1 || echo postgresql.service ;;
        esac
    done
}

install() {
    local packages=("$@") services i
    apt-get update -qq
    mapfile -t services < <(services_of "${packages[@]}")
    for i in "${!packages[@]}"; do
        [ "${packages[$i]}" != postgresql ] || packages[i]=$(newest_postgres)
    done
    say "installing ${packages[*]}"
    trap let_services_go EXIT
    hold_services_back
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >&2
    for i in "${services[@]}"; do
        systemctl disable --quiet "$i"
    done
}

main() {
    local packages
    mapfile -t packages < <(missing)
    [ ${#packages[@]} -gt 0 ] || exit 0
    if ! command -v apt-get >/dev/null; then
        say "missing: ${packages[*]} (Debian's names), and this machine has no apt-get; please install them"
        exit 1
    elif [ "$(id -u)" -eq 0 ]; then
        install "${packages[@]}"
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        say "missing: ${packages[*]}; installing them with sudo"
        exec sudo -- "$0" "$@"
    else
        say "missing, and there is no right to install. Please run as root:"
        say "    apt-get update && apt-get install ${packages[*]}"
        exit 1
    fi
    mapfile -t packages < <(missing)
    [ ${#packages[@]} -eq 0 ] || { say "still missing after the installation: ${packages[*]}"; exit 1; }
}

main "$@"
