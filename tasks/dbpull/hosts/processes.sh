# Which processes live; sent to a host in front of host.sh. Each `return` has its number:
# in what a trap calls, a bare one gives bash's status from before the trap.

# of_run NUMBER RUN: whether that process lives, and is not another's that got the
# number since (after a reboot, say), as far as can be told.
of_run() {
  kill -0 "$1" || return 1
  words=$(tr '\0' ' ' <"/proc/$1/cmdline" || words_by_ps "$1")
  case $words in '' | *"${2##*run.}"*) ;; *) return 1 ;; esac
} 2>/dev/null

# A zombie's name in brackets is none of its words.
words_by_ps() { lives "$1" && ps -ww -o args= -p "$1"; }

# lives NUMBER: whether that process does. A zombie is dead, if perhaps nobody will ever
# ask for its code, as in a container whose first process does not.
lives() {
  kill -0 "$1" || return 1
  if read -r stat <"/proc/$1/stat"; then
    stat=${stat##*) } # behind its name, which may be anything
  else
    stat=$(ps -o state= -p "$1")
  fi
  case $stat in [ZX]*) return 1 ;; esac
} 2>/dev/null

# group_lives NUMBER: whether anyone of that group does.
group_lives() {
  kill -0 "-$1" || return 1
  lives "$1" && return 0
  [ -r "/proc/$$/stat" ] || command -v ps >/dev/null || return 0
  [ -r "/proc/$$/stat" ] || {
    ps -A -o state= -o ppid= -o pgid= | while read -r stat; do
      # shellcheck disable=SC2086 # to be split
      lives_in "$1" $stat && echo 1
    done | grep -q 1
    return $?
  }
  for file in /proc/[0-9]*/stat; do
    # shellcheck disable=SC2086 # to be split
    read -r stat <"$file" && lives_in "$1" ${stat##*) } && return 0
  done
  return 1
} 2>/dev/null

# lives_in GROUP STATE PARENT NUMBER …: whether this is one of the group that lives.
lives_in() {
  [ "$4" = "$1" ] || return 1
  case $2 in [ZX]*) return 1 ;; esac
}
