#!/usr/bin/env -S bash -p
# The gate on another release, in a system of its own: what scripts/test.sh --in calls.
# shellcheck disable=SC2016 # quoted commands are for the shell in the system
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh --in RELEASE [--every-point] [static|unit|browser|int|fault|machines|monitoring]...

  RELEASE  debian-13, debian-testing

Without a part: bootstrap.sh, monitoring and the proxy, verify, some payments and audit, the page of the console, a backup and its
drill, then the gate. With parts: only these. Needs root. The system is made by debootstrap under .local/systems/ and kept for the next call, packages
included; delete its folder to have it made anew. It gets a copy of this checkout as it is, what is not committed included, and
leaves no process and no mount behind.
TEXT
}

source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

declare -A SUITES=([debian-13]=trixie [debian-testing]=testing)
CHECKOUT=/srv/payments-platform # within the system
# What README asks for; procps, which containers lack and machines have; and what encrypts backups, without which tests are skipped.
PACKAGES=(ca-certificates git nodejs npm procps gpg gpg-agent age)

release=${1:-}
(($# == 0)) || shift
[[ $release != -h && $release != --help ]] || { usage; exit 0; }
suite=${SUITES[${release:-none}]:-}
[[ -n $suite ]] || { usage >&2; die_usage "there is no release '$release'; known: ${!SUITES[*]}"; }
((EUID == 0)) || die "a system of its own needs root; run: sudo scripts/test.sh --in $release $*"
system=$REPO_ROOT/.local/systems/$release

# In namespaces of its own: with the first process of them, which is this one, go all others and all mounts.
[[ -n ${TEST_IN_NAMESPACES:-} ]] ||
  TEST_IN_NAMESPACES=1 exec unshare --mount --pid --ipc --fork --kill-child -- "${BASH_SOURCE[0]}" "$release" "$@"

mirror() { # the one that this machine takes its packages from, where it is of Debian too
  local uri
  uri=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 'Component: main' 2>/dev/null | head -n 1)
  printf '%s\n' "${uri:-http://deb.debian.org/debian}"
}

mount_in() { # SYSTEM
  mount -t proc proc "$1/proc"
  mount --rbind /sys "$1/sys"
  mount --rbind /dev "$1/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
  mount -t tmpfs -o mode=755 tmpfs "$1/run"
  cp --dereference -- /etc/resolv.conf "$1/etc/resolv.conf"
  printf '127.0.0.1 localhost %s\n' "$(hostname)" >"$1/etc/hosts"
}

# in_system SYSTEM COMMAND...: nothing of the caller's environment but the way to the network.
in_system() {
  local name into=$1
  local -a settings=("HOME=/root" "USER=root" "TERM=${TERM:-dumb}" LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  shift
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY npm_config_registry npm_config_cafile; do
    [[ -z ${!name:-} ]] || settings+=("$name=${!name}")
  done
  chroot "$into" env -i "${settings[@]}" "$@"
}

make_system() {
  command -v debootstrap >/dev/null || apt_install debootstrap debian-archive-keyring
  note "making a system of $release in $system"
  rm -rf -- "$system.new"
  mkdir -p -- "${system%/*}"
  debootstrap --variant=minbase "$suite" "$system.new" "$(mirror)" >"$system.log" || die "debootstrap failed; see $system.log"
  # Testing's index is signed for a week, and a mirror may have stood still for longer. Signatures are checked all the same.
  printf '%s\n' 'Acquire::Check-Valid-Until "false";' >"$system.new/etc/apt/apt.conf.d/90payments-mirror"
}

install_packages() { # SYSTEM
  note "installing ${PACKAGES[*]}"
  in_system "$1" bash -euc 'export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update && apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"' bash "${PACKAGES[@]}" >>"$system.log" 2>&1 ||
    die "apt-get could not install ${PACKAGES[*]}; see $system.log"
}

# npm_settings: where this machine's npm gets its packages, and whom it trusts.
npm_settings() {
  local cafile
  command -v npm >/dev/null || return 0
  export npm_config_registry npm_config_cafile
  npm_config_registry=$(npm config get registry)
  cafile=$(npm config get cafile)
  [[ -r $cafile ]] || cafile=${NODE_EXTRA_CA_CERTS:-}
  [[ -r $cafile ]] || return 0
  cp --dereference -- "$cafile" "$system/etc/npm-cafile.pem"
  npm_config_cafile=/etc/npm-cafile.pem
}

copy_checkout() {
  local copy=$system$CHECKOUT
  rm -rf -- "$copy"
  find "$system/tmp" -mindepth 1 -delete
  mkdir -p -- "$copy"
  git init -q -- "$copy" # the gate asks git which files are ours
  # What was deleted and not yet committed is listed, but not there.
  git -C "$REPO_ROOT" ls-files -z --cached --others --exclude-standard --deduplicate |
    tar -C "$REPO_ROOT" --create --null --files-from=- --ignore-failed-read --warning=no-failed-read |
    tar -C "$copy" --extract --no-same-owner
}

mkdir -p -- "${system%/*}"
exec 7>"$system.lock"
flock -n 7 || die "another call is at work in $system; wait for it"
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
export http_proxy https_proxy
if [[ ! -d $system ]]; then
  make_system
  mount_in "$system.new"
  install_packages "$system.new"
  # What is mounted in a folder keeps it from being renamed.
  umount -R -- "$system.new"/{proc,sys,dev,run}
  mv -- "$system.new" "$system"
fi
mount_in "$system"
npm_settings
copy_checkout
note "$release: $(in_system "$system" sh -c 'printf "Node.js %s, npm %s" "$(node --version)" "$(npm --version)"')"

parts=0
for arg; do [[ $arg == --every-point ]] || parts=$((parts + 1)); done
if ((parts == 0)); then
  in_system "$system" bash -euc 'cd "$1"
    export STACK_PORTS=free
    scripts/bootstrap.sh --local --rows 300000
    scripts/stack.sh up --with-monitoring --with-proxy
    scripts/stack.sh status
    settings=$(scripts/stack.sh env)
    eval "$settings"
    payments verify
    payments traffic --rate 20/s --seconds 10
    payments audit
    source scripts/lib.sh
    [[ $(http_get "$HTTP_PORT" /) == 200*"<html"* ]] || die "the services do not serve the page of the console"
    scripts/backup.sh
    scripts/verify_restore.sh --cluster
    scripts/stack.sh reset --yes' bash "$CHECKOUT" || die "failed in $release; the reason is above"
fi
in_system "$system" bash -euc 'cd "$1"; shift; exec scripts/test.sh "$@"' bash "$CHECKOUT" "$@"
