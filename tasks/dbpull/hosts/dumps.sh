# The verbs of host.sh that are about dumps; sent to a host in front of it.

# shellcheck disable=SC2154 # run and newline are host.sh's

# Bytes of a file or of a folder's files, 0 where there is none. Not `wc -c`: busybox's
# reads all of it.
size() {
  [ ! -d "$1" ] || { folder_size "$1"; return; }
  # shellcheck disable=SC2046 # to be split
  set -- $(ls -lnL -- "$1" 2>/dev/null)
  echo "${5:-0}"
}

folder_size() {
  # shellcheck disable=SC2012 # pg_dump gives the names
  ls -lnL -- "$1" | {
    bytes=0
    while read -r _ _ _ _ more _; do bytes=$((bytes + ${more:-0})); done
    echo "$bytes"
  }
}

# list FOLDER: its dumps and their parts, each with its bytes. Locks of runs that were
# lost are not worth a line.
list() {
  for lock in "$1"/*.dump.part.lock; do
    [ ! -h "$lock" ] || [ -e "$lock" ] || rm -f -- "$lock"
  done
  for file in "$1"/*.dump "$1"/*.dump.part "$1"/*.dump.part.journal; do
    case $file in *"$newline"*) continue ;; esac
    [ -f "$file" ] || [ -f "$file/toc.dat" ] || continue
    printf '%s\t%s\n' "$(size "$file")" "${file##*/}"
  done
}

# free FOLDER [NAME]: bytes free on its disk, or its parent's as long as there is no
# folder; none where the folder has no file of that name.
free() {
  folder=$1
  [ -z "${2-}" ] || [ -e "$1/$2" ] || return
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

# hold PART: keep other runs off it, 1 where one is at work on it, 2 where it can't be
# worked on at all. A link to the folder of a run that has ended holds nothing.
hold() {
  lock=$1.lock folder=$(dirname -- "$1")
  mkdir -p -- "$(dirname -- "$folder")" || return 2
  mkdir -- "$folder" 2>/dev/null && echo '*' >"$folder/.gitignore"
  let_go_if_left "$lock"
  # In front of a link to a folder, ln makes one inside of it.
  [ -h "$lock" ] || ln -s "$run" "$lock"
  [ "$(readlink "$lock")" = "$run" ] && return
  [ ! -h "$lock" ] && return 2
  return 1
}

# hold_soon PART: the same, where need be once a run that is at its end has let go: one
# without its ballast.
hold_soon() {
  tries=100
  until hold "$1"; do
    [ "$?" -eq 1 ] || return 2
    [ "$tries" -gt 0 ] && [ ! -e "$(readlink "$1.lock")/ballast" ] || return 1
    tries=$((tries - 1))
    pause 0.3
  done
}

let_go_if_left() {
  holder=$(readlink "$1") && ! alive "$holder" || return
  # Another run may have found the same meanwhile, and hold it by now.
  [ "$(readlink "$1")" = "$holder" ] && rm -f -- "$1"
}

# remove FILE: tells its bytes, and what is left beside it, as `list` does.
remove() {
  size "$1" && rm -rf -- "$1" && list "$(dirname -- "$1")"
}

# drop PART: remove it and its journal, unless a run is at work on it.
drop() {
  hold "$1" && rm -rf -- "$1.folder" && rm -f -- "$1" "$1.journal" "$1.lock"
}

# at PART: its bytes, and what its journal says: all bytes, and the object's identity.
at() {
  size "$1"
  [ ! -e "$1.journal" ] || cat "$1.journal"
}

# begin PART TOTAL IDENTITY NEEDED: hold it, 9 where that can't be. What is there of
# another object is begun anew, where the bytes needed are free. Tells the bytes free on
# its disk, its own, and its journal.
begin() {
  hold_soon "$1"
  case $? in 0) ;; 1) return 9 ;; *) return 2 ;; esac
  there=$(free "$(dirname -- "$1")") || return
  is_part_of "$@" || [ "$there" -lt "$4" ] || anew "$1" "$2" "$3" || return
  echo "$there"
  at "$1"
}

is_part_of() {
  [ -n "$3" ] && [ "$(cat "$1.journal" 2>/dev/null)" = "$2 $3" ] || return
  have=$(size "$1")
  [ "$have" -gt 0 ] && [ "$have" -le "$2" ]
}

# publish PART DUMP TOTAL: give it its name, if it is whole, and let go of it.
publish() {
  is_whole "$1" "$3" && mv -f -- "$1" "$2" && rm -f -- "$1.journal" "$1.lock"
}

# unfold PART DUMP TOTAL: the same for a tar of the files of a dump in a folder.
unfold() {
  is_whole "$1" "$3" || return
  rm -rf -- "$1.folder" && mkdir -- "$1.folder" && tar -xof "$1" -C "$1.folder" || return
  mv -- "$1.folder" "$2" && rm -f -- "$1" "$1.journal" "$1.lock"
}

is_whole() {
  have=$(size "$1")
  [ "$have" -eq "$2" ] || { echo "$have of $2 bytes are there" >&2; return 1; }
}

# anew PART TOTAL IDENTITY: begin it at the first byte.
anew() {
  rm -f -- "$1" && : >"$1" && echo "$2 $3" >"$1.journal"
}

# remote_head FILE BLOCK COUNT: that many blocks of it, packed where the host can do that;
# of a dump in a folder those of its table of contents.
remote_head() {
  [ ! -d "$1" ] || set -- "$1/toc.dat" "$2" "$3"
  [ -r "$1" ] || { echo "$1 can't be read" >&2; return 1; }
  if command -v gzip >/dev/null; then
    printf z
    blocks "$@" | gzip -c
  else
    printf %s -
    blocks "$@"
  fi
}

blocks() { dd if="$1" bs=65536 skip="$2" count="$3" 2>/dev/null; }

# get PART OFFSET: go on with the part at that byte; curl's configuration, with the
# URL, is on stdin. Tells how far it is on stderr, the answer's head on stdout.
get() {
  have=$(size "$1")
  # curl appends, whatever the offset. Its own code for what is worth another try.
  [ "$have" -eq "$2" ] || { echo "at $have" >&2; return 18; }
  rm -f "$run/head"
  report "$1" &
  reporter=$!
  download --speed-limit 1 --speed-time 60 --continue-at "$2" --output "$1"
  code=$?
  # Its last line may be about to come, and is older than ours.
  kill "$reporter"
  wait "$reporter" 2>/dev/null
  echo "at $(size "$1")" >&2
  cat "$run/head" 2>/dev/null
  return "$code"
}

# look: the answer's head, and the object's first bytes in hexadecimal digits; curl's
# configuration as above.
look() {
  rm -f "$run/head" "$run/first"
  # All of the object is not to come, where ranges are not served.
  download --max-time 60 --max-filesize 65536 --range 0-511 --output "$run/first"
  code=$?
  cat "$run/head" 2>/dev/null
  echo "first bytes"
  od -An -v -tx1 "$run/first" 2>/dev/null
  [ "$code" -eq 63 ] || return "$code"
}

download() {
  curl -q -sS --fail --location --max-redirs 5 --connect-timeout 15 --config - \
    --dump-header "$run/head" --write-out '%{http_code}\n' "$@"
}

report() {
  while lives $$; do
    echo "at $(size "$1")" >&2
    pause 0.5 >/dev/null 2>&1 </dev/null
  done
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
    count=$(($(sendable) / block))
    if [ "$count" -gt 0 ]; then
      dd bs=$block count="$count" <&4 2>/dev/null || return
      sent=$((sent + count * block))
    else
      pause 0.2
    fi
    echo "fed $sent" >&2
  done
}

# Bytes beyond those sent; at the end up to the end of a block. Once whole it gets
# another name: then size knows nothing of it.
sendable() {
  have=$(size "$part")
  [ "$have" -ge "$total" ] || [ ! -e "$part" ] && have=$((total + block - 1))
  echo $((have - sent))
}
