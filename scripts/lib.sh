# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the scripts share: messages, the cache, locks, packages, a private apt.
# Source it with `set -euo pipefail` on; it runs nothing by itself.
#
# Model: everything fetched or built lives in one cache, LAB_CACHE. A thing is
# made in a work directory under a lock of the same name and then renamed into
# place, so whoever finds it finds it whole, and a killed run leaves only a work
# directory that the next run continues or wipes.
#
# Debian suites are read through an apt of our own (own sources, lists and
# cache; the machine's proxy settings and archive keyring), so the user's apt is
# never changed and a suite other than the machine's own can be read.
#
# Exit codes: 2 usage or configuration, 3 infrastructure (no network, no
# package, a build that broke). Results go to stdout, everything else to stderr.

# shellcheck disable=SC2034  # for those who source this
LAB_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LAB_CACHE=${NVMELAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nvmelab}
# hours until an index that is already here is asked for again
LAB_INDEX_HOURS=24
declare -A LAB_LOCK_FD=()

# --- messages -------------------------------------------------------------

lab_say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# lab_die CODE TEXT
lab_die() {
    local code=$1

    shift
    printf '%s: error: %s\n' "${0##*/}" "$*" >&2
    exit "$code"
}

# a command that fails unheard must not end a script in silence; 2 and 3 come
# from lab_die, in a $(...) perhaps, and have been told
lab_unheard() {
    local code=$?

    ((code == 2 || code == 3)) ||
        lab_die 3 "line $1: '$2' failed with status $code"
    exit "$code"
}
set -E
trap 'lab_unheard "$LINENO" "$BASH_COMMAND"' ERR

# lab_header: the calling script's opening comment, as its --help
lab_header() {
    awk 'NR > 2 && !/^#/ { exit } NR > 2 { sub(/^# ?/, ""); print }' "$0"
}

# lab_step TEXT COMMAND...: run quietly into a log under the cache; one line
# with the time it took, or the end of the log and exit 3
lab_step() {
    local text=$1 start=$SECONDS log
    shift

    mkdir -p "$LAB_CACHE/log"
    log="$LAB_CACHE/log/${0##*/}-${text//[^A-Za-z0-9.+]/-}.log"
    lab_say "$text ..."
    if ! "$@" >"$log" 2>&1; then
        tail -n 25 "$log" >&2
        lab_die 3 "$text failed after $((SECONDS - start)) s; log: $log"
    fi
    lab_say "$text: $((SECONDS - start)) s"
}

# --- cache ----------------------------------------------------------------

# lab_cache DIR: make a directory below the cache, print its path
lab_cache() {
    mkdir -p "$LAB_CACHE/$1" 2>/dev/null ||
        lab_die 2 "cannot write the cache $LAB_CACHE (set NVMELAB_CACHE)"
    printf '%s\n' "$LAB_CACHE/$1"
}

# lab_lock NAME: exclusive until lab_unlock NAME or the end of the process
lab_lock() {
    local fd

    lab_cache lock >/dev/null
    exec {fd}>"$LAB_CACHE/lock/$1"
    if ! flock -n "$fd"; then
        lab_say "waiting for another run that holds '$1'"
        flock "$fd"
    fi
    LAB_LOCK_FD[$1]=$fd
}

lab_unlock() {
    local fd=${LAB_LOCK_FD[$1]:-}

    [[ -n $fd ]] || return 0
    exec {fd}>&-
    unset "LAB_LOCK_FD[$1]"
}

# lab_workdir NAME: the work directory of the lock NAME, kept between runs so
# that an interrupted download or build carries on; same file system as the
# cache, so that lab_publish can rename out of it
lab_workdir() {
    lab_cache "work/$1"
}

# lab_publish FROM TO: move a finished file or directory into place
lab_publish() {
    mkdir -p "$(dirname "$2")"
    if [[ -e $2 ]]; then
        # a directory cannot be renamed over another: set the old one aside
        rm -rf "$2.old"
        mv -T "$2" "$2.old"
    fi
    mv -T "$1" "$2"
    rm -rf "$2.old"
}

# lab_key [FILE...] <TEXT: 16 hex digits over text on stdin and files' content
# (names count by their last part only, so that a moved tree keeps its key)
lab_key() {
    local f

    {
        cat
        for f in "$@"; do
            printf '%s ' "${f##*/}"
            sha256sum <"$f"
        done
    } | sha256sum | cut -c1-16
}

# lab_fresh FILE HOURS: FILE exists and is younger than HOURS
lab_fresh() {
    [[ -e $1 && -n $(find "$1" -mmin "-$(($2 * 60))") ]]
}

# --- privilege ------------------------------------------------------------

# lab_as_root COMMAND...: as root, or through sudo
lab_as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        lab_die 2 "neither root nor sudo; as root, run: $*"
    fi
}

# --- a private apt per suite ----------------------------------------------

# lab_how_to_point_elsewhere: the tail of every "cannot fetch" line
lab_how_to_point_elsewhere() {
    printf 'set NVMELAB_MIRROR to a Debian mirror, or http_proxy to a proxy'
}

# lab_mirrors: candidates, best first: NVMELAB_MIRROR alone if set, else the
# repositories of the machine's apt that are Debian's main archive, else (its
# index is not there, as in most containers) what is listed and no security
# archive. A machine may list strangers; they have another origin, and the
# signature check keeps them out anyway.
lab_mirrors() {
    local known

    if [[ -n ${NVMELAB_MIRROR:-} ]]; then
        printf '%s\n' "${NVMELAB_MIRROR%/}"
        return
    fi
    # shellcheck disable=SC2016  # $(...) is apt's own notation
    known=$(apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI)' \
        'Created-By: Packages' 2>/dev/null |
        sed -nE 's#^Debian/Debian (.*[^/])/?$#\1#p') || known=
    if [[ -z $known ]]; then
        known=$(apt-get update --print-uris 2>/dev/null |
            sed -nE "s#^'([^']+)/dists/.*#\1#p" |
            grep -vE 'security|^cdrom') || known=
    fi
    [[ -z $known ]] || awk '!seen[$0]++' <<<"$known"
}

lab_keyring() {
    local k

    for k in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        [[ -r $k ]] && printf '%s\n' "$k" && return
    done
    lab_die 3 "no Debian archive keyring: apt-get install debian-archive-keyring"
}

# lab_apt_write NAME MIRROR: the configuration of the private apt NAME. An index
# past its date is an error, but for the one that LAB_APT_STALE names.
lab_apt_write() {
    local name=$1 mirror=$2 dir="$LAB_CACHE/apt/$1" type="deb" keyring

    [[ $name == *-src ]] && type="deb-src"
    keyring=$(lab_keyring) || exit 3
    mkdir -p "$dir"/{lists,cache}/partial "$dir"/state "$dir"/cache/archives
    : >"$dir/status"
    printf '%s [signed-by=%s] %s %s main\n' \
        "$type" "$keyring" "$mirror" "${name%-src}" >"$dir/sources.list"
    {
        # how to reach the network is the machine's business
        apt-config dump | grep -E '^Acquire::(https?|Force)' || true
        [[ ${LAB_APT_STALE:-} != "$name" ]] ||
            printf 'Acquire::Check-Valid-Until "false";\n'
        cat <<CONF
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "$dir/state";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
Dir::Log "$dir/state";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
CONF
    } >"$dir/apt.conf"
}

# lab_apt_update NAME: fetch the index of NAME from the first mirror that has
# it; DIR/updated then names that mirror. On failure LAB_APT_ERROR says why.
lab_apt_update() {
    local name=$1 dir="$LAB_CACHE/apt/$1" mirror tried=''

    while read -r mirror; do
        lab_apt_write "$name" "$mirror"
        if APT_CONFIG="$dir/apt.conf" apt-get update >"$dir/log" 2>&1; then
            printf '%s\n' "$mirror" >"$dir/updated"
            return 0
        fi
        tried+=" $mirror"
    done < <(lab_mirrors)
    LAB_APT_ERROR="tried${tried:- nothing: apt lists no Debian mirror}"
    [[ -z $tried ]] ||
        LAB_APT_ERROR+=" ($(grep -m1 '^[EW]:' "$dir/log" | cut -c4-160))"
    return 1
}

# lab_apt_has DIR: there is an index, and of the mirror that is wanted
lab_apt_has() {
    [[ -e $1/updated ]] || return 1
    [[ -z ${NVMELAB_MIRROR:-} || ${NVMELAB_MIRROR%/} == "$(<"$1/updated")" ]]
}

# lab_apt_suite NAME [refresh]: make the index of NAME usable; NAME is a suite
# (its packages) or SUITE-src (its sources). An old index is better than none.
lab_apt_suite() {
    local name=$1 dir="$LAB_CACHE/apt/$1"

    [[ ${2:-} != refresh ]] && lab_apt_has "$dir" &&
        lab_fresh "$dir/updated" "$LAB_INDEX_HOURS" && return
    lab_lock "apt-$name"
    if [[ ${2:-} == refresh ]] || ! lab_apt_has "$dir" ||
            ! lab_fresh "$dir/updated" "$LAB_INDEX_HOURS"; then
        lab_say "fetching the package index of $name"
        if ! lab_apt_update "$name"; then
            # back to the mirror that the index came from, whoever asks next
            [[ ! -e $dir/updated ]] ||
                lab_apt_write "$name" "$(<"$dir/updated")"
            lab_apt_has "$dir" || lab_die 3 "cannot fetch the package" \
                "index of $name: $LAB_APT_ERROR; $(lab_how_to_point_elsewhere)"
            lab_say "the index of $name stays an old one: $LAB_APT_ERROR"
        fi
    fi
    lab_unlock "apt-$name"
}

# lab_apt NAME TOOL ARGS...: apt-get or apt-cache on the index of NAME, e.g.
# lab_apt trixie apt-cache policy linux-base; lab_apt trixie-src apt-get source
lab_apt() {
    local name=$1
    shift

    lab_apt_suite "$name"
    APT_CONFIG="$LAB_CACHE/apt/$name/apt.conf" "$@"
}

# lab_apt_version SUITE PACKAGE: newest version there, empty if none
lab_apt_version() {
    lab_apt "$1" apt-cache madison "$2" |
        awk -F' *[|] *' 'NR == 1 { print $2 }'
}

# lab_deb SUITE PACKAGE DIR: download into DIR (continuing a partial file),
# print the path of the .deb. Assign the output (deb=$(lab_deb ...)): only then
# does a failure in here end the caller too.
lab_deb() {
    local suite=$1 package=$2 dir=$3 file try

    mkdir -p "$dir"
    for try in 1 2; do
        lab_apt_suite "$suite"
        # the name that apt-get download gives it: an epoch's colon is escaped
        file=$(lab_apt "$suite" apt-cache show --no-all-versions "$package" \
            2>/dev/null | awk '/^(Package|Version|Architecture):/ { f[$1] = $2 }
            END { sub(":", "%3a", f["Version:"])
                  if (NR) printf "%s_%s_%s.deb", f["Package:"], f["Version:"],
                                 f["Architecture:"] }') || file=
        [[ -n $file ]] || lab_die 3 "no package '$package' in $suite"
        if (cd "$dir" && lab_apt "$suite" apt-get download -q "$package") \
                >"$dir/download.log" 2>&1; then
            printf '%s\n' "$dir/$file"
            return
        fi
        # a point release may have replaced it: look again, once
        ((try == 2)) || lab_apt_suite "$suite" refresh
    done
    lab_die 3 "cannot fetch $package of $suite:" \
        "$(grep -m1 '^E:' "$dir/download.log" | cut -c4-200);" \
        "$(lab_how_to_point_elsewhere)"
}

# --- meson ----------------------------------------------------------------

# lab_meson: put a meson of at least 1.5 on PATH (Debian 12 has 1.0); QEMU's
# configure also imports pycotap. Both come from trixie and are pure Python.
lab_meson() {
    local have dir package work deb

    have=$(meson --version 2>/dev/null || echo 0)
    if dpkg --compare-versions "$have" ge 1.5 &&
            /usr/bin/python3 -c 'import pycotap' 2>/dev/null; then
        return
    fi
    dir=$LAB_CACHE/tools/meson
    if [[ ! -x $dir/usr/bin/meson ]]; then
        lab_lock tools-meson
        if [[ ! -x $dir/usr/bin/meson ]]; then
            work=$(lab_workdir tools-meson)
            rm -rf "$work/root"
            for package in meson python3-pycotap; do
                deb=$(lab_deb trixie "$package" "$work")
                dpkg-deb -x "$deb" "$work/root"
            done
            lab_publish "$work/root" "$dir"
        fi
        lab_unlock tools-meson
    fi
    export PATH="$dir/usr/bin:$PATH"
    export PYTHONPATH="$dir/usr/lib/python3/dist-packages"
}

# lab_configured BUILD ARGS...: configure a build directory, once; again if an
# interrupted run, another release of meson (Debian 12's own, by hand) or the
# meson of another cache left it behind, which ours could not read
lab_configured() {
    local build=$1 mark
    shift

    mark="$(command -v meson) $(meson --version)"
    [[ -e $build/build.ninja && $(cat "$build/.meson" 2>/dev/null) == "$mark" ]] &&
        grep -q "\"full\": \"${mark##* }\"" "$build/meson-info/meson-info.json" &&
        return
    rm -rf "$build"/{meson-*,build.ninja,.meson}
    meson setup "$build" "$LAB_TOP" "$@" && printf '%s\n' "$mark" >"$build/.meson"
}
