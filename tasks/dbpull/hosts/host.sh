# What runs on a host: `sh host.sh VERB RUN …`, where RUN is the run's own folder. What
# is in dumps.sh stands in front of it there.
#
# A POSIX shell, curl and PostgreSQL's client programs are all that it needs. Secrets
# come on stdin or lie in RUN, which is 0700: none is an argument or in an environment.
# A program and what it started are ended together, by the number of their group.

set -u
umask 077
verb=$1 run=$2
shift 2
# A user may have exported such names: what they hold is for no other program.
unset beat line told
newline='
'

# The channel's first line, on both streams: what login scripts print comes before it.
greet() {
  echo "dbpull:"
  echo "dbpull:" >&2
}

pause() { sleep "$1" 2>/dev/null || sleep 1; }

# serve SILENCE ["NAME …" PATTERN …]: hold the run's folder until the laptop's end, of
# whatever kind; then leave nothing behind. Each line is a beat, and is answered; without
# any for SILENCE seconds the laptop counts as lost. Tells first what is here, also of the
# programs with these names, as `find` does.
serve() {
  trap '' HUP INT PIPE
  # Before there is a trap for TERM: one that comes before the listener has taken that
  # off would be nobody's, and the listener stay.
  listen_for_silence "$1" $$ </dev/null >/dev/null 2>&1 &
  listener=$!
  trap 'exit 0' TERM
  trap finish EXIT
  able && mkdir "$run/programs" || exit
  load
  sweep
  greet
  shift
  facts "$@"
  while IFS= read -r beat; do
    # Not `:`, with which a disk that is full would be the shell's end.
    true >"$run/beat"
    case $beat in
    on_disconnect.*) rm -f "$run/$beat" ;;
    'file '*) put "${beat#file }" ;;
    esac
    echo "${beat%% *}"
  done
}

# put "NAME TEXT": write a file of the run, if need be in the room that was kept.
put() {
  for _ in 1 2; do
    given "${1#* }" >"$run/new" && mv "$run/new" "$run/${1%% *}" && break
    rm -f "$run/ballast"
  done
  [ -e "$run/ballast" ] || load
}

# Room for the last things to be done, should the disk be full by then.
load() { dd if=/dev/zero of="$run/ballast" bs=1024 count=64 2>/dev/null; }

able() {
  [ $((2147483647 + 1)) -gt 0 ] && return
  echo "its sh counts with 32 bits, too few for a dump's bytes" >&2
  return 1
}

# What earlier runs left whose agent was killed, by a reboot say. The number of a run's
# agent is in the file `keeper`: runs of other versions of dbpull look for it there.
sweep() {
  for left in "${run%/*}"/run.*; do
    # One that is being made has no number in it yet, and one that is being removed
    # perhaps none any more.
    if [ -s "$left/keeper" ]; then alive "$left"; else is_fresh "$left"; fi || clear_away
  done
}

is_fresh() { [ -n "$(find "$1" -prune -mmin -5)" ]; }

clear_away() {
  end_waiting "$left"
  for program in "$left"/programs/*; do
    read -r group <"$program" && of_run "$group" "$left" && kill -TERM "-$group"
  done 2>/dev/null
  rm -rf "$left"
}

# alive RUN: whether its agent lives; what has no words is dead, or the kernel's. Of
# another machine's, in a home that both have: whether it gave a sign of life lately.
alive() {
  if [ -e "$1/machine" ] && [ "$(cat "$1/machine")" != "$(machine)" ]; then
    [ -n "$(find "$1/keeper" "$1/beat" -mmin -5)" ]
  else
    read -r agent <"$1/keeper" && of_run "$agent" "$1" && [ -n "$words" ]
  fi
} 2>/dev/null

# As the agent wrote it at its start. A container may have its host's home and name,
# but counts processes by itself.
machine() {
  uname -n
  readlink /proc/self/ns/pid 2>/dev/null
}

facts() {
  cores=$(getconf _NPROCESSORS_ONLN || nproc || sysctl -n hw.ncpu)
  case $cores in '' | *[!0-9]*) cores=1 ;; esac
  echo "run $run"
  echo "cores $cores"
  echo "login $(id -un)"
  echo "home ${HOME:-/}"
  command -v curl >/dev/null &&
    echo "curl $(curl --version | head -n 1)"
  [ $# -eq 0 ] || find_programs "$@" | sed 's/^/program /'
  echo "ready"
} 2>/dev/null

listen_for_silence() {
  trap - EXIT HUP INT PIPE
  # Not by TERM: a child that has just begun takes it as ours, and sleeps on.
  trap 'kill -KILL "$!"; exit' TERM
  while :; do
    sleep "$1" &
    wait $!
    [ -e "$run/beat" ] || break
    rm -f "$run/beat"
  done
  of_run "$2" "$run" && kill -TERM "$2"
}

finish() {
  trap '' TERM
  exec </dev/null >/dev/null 2>&1
  rm -f "$run/ballast"
  kill -TERM "${listener-}"
  end_waiting "$run"
  # Numbers, so that these are the words of a list.
  programs=$(ls "$run/programs")
  # shellcheck disable=SC2086
  give_grace $programs
  # shellcheck disable=SC2086
  end $programs
  for file in "$run"/on_disconnect.*; do
    [ -f "$file" ] && sh "$file"
  done
  # Again where a session in advance, which begins just now, has written there.
  rm -rf "$run" || rm -rf "$run"
}

# Their stdin has ended as ours has: most end by themselves, such as a psql in its
# last statement.
give_grace() {
  groups=$(groups_of "$@")
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    anyone_lives || break
    pause 0.1
  done
}

# end ID …: programs and what they started, gently first. One that has not begun yet
# never will.
end() {
  groups=$(groups_of "$@")
  signal TERM
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    anyone_lives || break
    pause 0.2
  done
  signal KILL
}

# signal NAME: send it to `groups`.
signal() {
  for group in $groups; do
    kill "-$1" "-$group" 2>/dev/null
  done
}

# Whether anyone of `groups` does.
anyone_lives() {
  for group in $groups; do
    group_lives "$group" && return 0
  done
  return 1
}

# groups_of ID …: the numbers of their groups, if these are theirs still.
groups_of() {
  for id; do
    (set -C && : >"$run/programs/$id") && continue
    # It may be there and not written yet.
    read -r group <"$run/programs/$id" || {
      pause 0.1
      read -r group <"$run/programs/$id" || continue
    }
    if lives "$group"; then of_run "$group" "$run" || continue; fi
    echo "$group"
  done
} 2>/dev/null

# next: run one command of host.sh, whose line comes on stdin, in front of the stdin of
# the command's own. `read` takes no byte more, and must not give up, as TMOUT has it.
next() {
  (unset TMOUT) 2>/dev/null && unset TMOUT
  (echo $$ >"$run/waiting.$$") 2>/dev/null
  IFS= read -r line || return
  # Where no program can be started, nothing is to look as if it had run.
  told=$(given "$line") && [ "$told" ] || return 126
  eval "$told"
}

# Those that wait for a line, which will not come: no program's number is theirs.
end_waiting() {
  for file in "$1"/waiting.*; do
    read -r waiting <"$file" && ! grep -qx "$waiting" "$1"/programs/* &&
      of_run "$waiting" "$1" && kill -TERM "$waiting"
  done
} 2>/dev/null

# start ID [NAME=VALUE …] -- PROGRAM …: run it with these variables, and without those
# for PostgreSQL that the host's user happens to have. Its file stays: whoever it
# started may outlive it.
start() {
  leads || ! command -v setsid >/dev/null || exec setsid sh "$0" start "$run" "$@"
  (set -C && echo $$ >"$run/programs/$1") || exit
  shift
  unset PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGSERVICE PGSERVICEFILE PGOPTIONS \
    PGAPPNAME PGCLIENTENCODING PGTZ PGDATESTYLE PGGEQO PGSYSCONFDIR
  while [ "$1" != -- ]; do
    # To libpq a password in the environment is worth more than one in a file.
    case $1 in PGPASSFILE=*) unset PGPASSWORD ;; esac
    case $1 in PGPASSFILE="$run"/* | PGSERVICEFILE="$run"/*) await "${1#*=}" ;; esac
    # shellcheck disable=SC2163 # NAME=VALUE
    export "$1"
    shift
  done
  shift
  greet
  command "$@"
  code=$?
  hear_out
  return "$code"
}

# await FILE: the agent has been told to write it.
await() {
  tries=0
  until [ -e "$1" ]; do
    [ $((tries += 1)) -le 200 ] || { echo "${1##*/} has not come" >&2; exit 1; }
    pause 0.02
  done
}

# given TEXT: a text that came as one line. It may be secret: printf, where it is no part
# of the shell, would have it as an argument. Some shells put it into a file on its way.
given() (
  TMPDIR=$run
  LC_ALL=C sed -e 's/%n/\
/g' -e 's/%p/%/g' <<EOF
$1
EOF
)

# Read stdin to its end: what the laptop is still sending to a session that has ended
# would have sshd end the whole connection, or reach the session that comes after it.
hear_out() {
  exec >/dev/null 2>&1
  read -r _ && cat
}

# Whether this process leads a group, as OpenSSH has it: each channel is one's own
# (do_exec_no_pty). With others, or behind sudo, it may be one of many.
leads() {
  read -r _ _ _ _ group _ <"/proc/$$/stat" || return 0
  [ "$group" = $$ ]
} 2>/dev/null

# find "NAME …" PATTERN …: PATH's program of each name, then those in the folders: of
# what fits one pattern, the last first. Each with its real path and version.
find_programs() {
  names=$1
  shift
  for name in $names; do
    of_name "$@" | described
  done
}

of_name() {
  command -v "$name"
  for pattern; do
    found=
    for program in $pattern/"$name"; do
      [ -f "$program" ] && [ -x "$program" ] && found="$program$newline$found"
    done
    printf %s "$found"
  done
}

described() {
  while IFS= read -r path; do
    real=$(readlink -f "$path" 2>/dev/null) || real=$path
    real=${real:-$path}
    printf '%s\t%s\t%s\t%s\n' "$name" "$path" "$real" "$(version)"
  done
}

# What `path` tells with --version; not where its folder tells that already, nor of
# Debian's slow wrapper.
version() {
  case $real in */pg_wrapper | *postgresql*[0-9]/* | *pgsql-[0-9]*/*) return ;; esac
  told=$("$path" --version </dev/null 2>/dev/null) && echo "${told%%"$newline"*}"
}

case $verb in
find) find_programs "$@" ;;
*) "$verb" "$@" ;;
esac
