# What runs on a host: `sh host.sh VERB RUN …`, where RUN is the run's own folder.
#
# A POSIX shell, curl and PostgreSQL's client programs are all that it needs. Secrets
# come on stdin or lie in RUN, which is 0700: none is an argument or in an environment.
# Every SSH channel is a session and process group of its own (sshd's do_exec_no_pty),
# so a program and what it started are ended together, by the number of their group.

set -u
umask 077
verb=$1 run=$2
shift 2

# The channel's first line, on both streams: what login scripts print comes before it.
greet() {
  echo "dbpull:"
  echo "dbpull:" >&2
}

pause() { sleep "$1" 2>/dev/null || sleep 1; }

# Bytes of a file, 0 where there is none. Not `wc -c`: busybox's reads all of it.
size() {
  # shellcheck disable=SC2046 # to be split
  set -- $(ls -ln -- "$1" 2>/dev/null)
  echo "${5:-0}"
}

# keep SILENCE: hold the run's folder until the laptop's end, of whatever kind; then
# leave nothing behind. Each line is a beat, and is answered; without any for SILENCE
# seconds the laptop counts as lost.
keep() {
  trap '' HUP INT PIPE
  trap 'exit' TERM
  trap finish EXIT
  echo $$ >"$run/keeper"
  mkdir "$run/programs"
  sweep
  listen_for_silence "$1" $$ <&- >/dev/null 2>&1 &
  greet
  facts
  while read -r beat; do
    : >"$run/beat"
    echo "$beat"
  done
}

# What earlier runs left whose keeper was killed, by a reboot say.
sweep() {
  for left in "${run%/*}"/run.*; do
    read -r pid <"$left/keeper" || continue
    kill -0 "$pid" || rm -rf "$left"
  done 2>/dev/null
}

facts() {
  cores=$(getconf _NPROCESSORS_ONLN || nproc || sysctl -n hw.ncpu) 2>/dev/null
  echo "run $run"
  echo "cores ${cores:-1}"
  echo "login $(id -un)"
  echo "home ${HOME:-/}"
  command -v curl >/dev/null &&
    echo "curl $(curl --version | head -n 1)"
  echo "ready"
} 2>/dev/null

listen_for_silence() {
  trap - EXIT HUP INT PIPE
  while pause "$1"; do
    [ -e "$run/beat" ] || { kill -TERM "$2"; return; }
    rm -f "$run/beat"
  done
}

finish() {
  trap '' TERM
  exec </dev/null >/dev/null 2>&1
  give_grace
  for program in "$run"/programs/*; do
    [ -e "$program" ] && end "${program##*/}"
  done
  [ -f "$run/will" ] && sh "$run/will"
  rm -rf "$run"
  # The one that listens for silence, and its sleep.
  kill -TERM 0
}

# Their stdin has ended as ours has: most end by themselves, such as a psql in its
# last statement.
give_grace() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(ls "$run/programs")" ] || return 0
    pause 0.1
  done
}

# end ID: a program and what it started, gently first.
end() {
  read -r group <"$run/programs/$1" 2>/dev/null || return 0
  kill -TERM "-$group" 2>/dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    kill -0 "-$group" 2>/dev/null || break
    pause 0.2
  done
  kill -KILL "-$group" 2>/dev/null
  rm -f "$run/programs/$1"
}

# start ID [NAME=VALUE …] -- PROGRAM …: run it with these variables, and without those
# for PostgreSQL that the host's user happens to have.
start() {
  id=$1
  shift
  echo $$ >"$run/programs/$id" || exit 255
  unset PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGSERVICE PGSERVICEFILE PGOPTIONS \
    PGAPPNAME PGCLIENTENCODING PGTZ PGDATESTYLE
  while [ "$1" != -- ]; do
    # shellcheck disable=SC2163 # NAME=VALUE
    export "$1"
    shift
  done
  shift
  greet
  "$@"
  code=$?
  rm -f "$run/programs/$id"
  exit "$code"
}

# find NAME PATTERN …: PATH's program of that name, then those in the folders.
find_programs() {
  name=$1
  shift
  command -v "$name" || echo
  for pattern; do
    for program in $pattern/"$name"; do
      [ -x "$program" ] && echo "$program"
    done
  done
}

with_real_paths() {
  while read -r path; do
    real=$([ -n "$path" ] && readlink -f "$path" 2>/dev/null) || real=$path
    printf '%s\t%s\n' "$path" "${real:-$path}"
  done
}

# list FOLDER: its dumps and their parts, each with its bytes.
list() {
  for file in "$1"/*.dump "$1"/*.dump.part "$1"/*.dump.part.journal; do
    [ -f "$file" ] && printf '%s\t%s\n' "$(size "$file")" "${file##*/}"
  done
}

# free FOLDER: bytes free on its disk, or its parent's as long as there is no folder.
free() {
  folder=$1
  while [ ! -d "$folder" ] && [ "$folder" != / ] && [ "$folder" != . ]; do
    folder=$(dirname -- "$folder")
  done
  line=$(df -Pk -- "$folder" | tail -n 1) || return
  line=${line%%%*} # up to the used part of 100
  # shellcheck disable=SC2086 # to be split: file system, blocks, used, free
  set -- ${line% *}
  shift $(($# - 1))
  echo $(($1 * 1024))
}

# hold PART: keep other runs off it. A link to a folder that is gone holds nothing.
hold() {
  folder=$(dirname -- "$1")
  mkdir -p -- "$(dirname -- "$folder")" &&
    mkdir -- "$folder" 2>/dev/null && echo '*' >"$folder/.gitignore"
  [ -h "$1.lock" ] && ! held "$1.lock" && rm -f -- "$1.lock"
  ln -s "$run" "$1.lock" || return
  [ "$(readlink "$1.lock")" = "$run" ]
}

held() {
  read -r keeper <"$1/keeper" && kill -0 "$keeper"
} 2>/dev/null

# drop PART: remove it and its journal, unless a run is at work on it.
drop() {
  hold "$1" && rm -f -- "$1" "$1.journal" "$1.lock"
}

# at PART: its bytes, and what its journal says: all bytes, and the object's identity.
at() {
  size "$1"
  cat "$1.journal" 2>/dev/null
}

# anew PART TOTAL IDENTITY: begin it at the first byte.
anew() {
  rm -f -- "$1" && : >"$1" && echo "$2 $3" >"$1.journal"
}

# front FILE BLOCK COUNT: that many blocks of it, packed where the host can do that.
front() {
  if command -v gzip >/dev/null; then
    printf z
    dd if="$1" bs=65536 skip="$2" count="$3" 2>/dev/null | gzip -c
  else
    printf -- -
    dd if="$1" bs=65536 skip="$2" count="$3" 2>/dev/null
  fi
}

# get PART OFFSET: go on with the part at that byte; curl's configuration, with the
# URL, is on stdin. Tells how far it is on stderr, the answer's head on stdout.
get() {
  report "$1" &
  reporter=$!
  curl -q -sS --fail --location --max-redirs 5 --connect-timeout 15 \
    --speed-limit 1 --speed-time 60 --config - \
    --continue-at "$2" --output "$1" --dump-header "$run/head" \
    --write-out '%{http_code}\n'
  code=$?
  kill "$reporter"
  echo "at $(size "$1")" >&2
  cat "$run/head" 2>/dev/null
  rm -f "$run/head"
  return "$code"
}

report() {
  while :; do
    echo "at $(size "$1")" >&2
    pause 0.5 >/dev/null 2>&1 </dev/null
  done
}

# look: the answer's head and first bytes of an object; curl's configuration as above.
look() {
  curl -q -sS --fail --location --max-redirs 5 --connect-timeout 15 --max-time 60 \
    --config - --range 0-511 --output "$run/first" --dump-header "$run/head" \
    --write-out '%{http_code}\n' || return
  cat "$run/head"
}

# stream PART TOTAL PROGRAM …: feed it the part as it grows to that many bytes; what
# is on stdin is for the program's -L list.
stream() {
  part=$1 total=$2
  shift 2
  cat >"$run/list"
  feed | "$@"
}

feed() {
  block=65536 sent=0
  exec 4<"$part"
  while [ "$sent" -lt "$total" ]; do
    have=$(size "$part")
    count=$(((have - sent) / block))
    [ "$have" -ge "$total" ] && count=$(((total - sent + block - 1) / block))
    if [ "$count" -gt 0 ]; then
      dd bs=$block count="$count" <&4 2>/dev/null || return
      sent=$((sent + count * block))
    else
      pause 0.2
    fi
    echo "fed $sent" >&2
  done
}

case $verb in
find) find_programs "$@" | with_real_paths ;;
*) "$verb" "$@" ;;
esac
