# The guard itself: one process on the host that waits until its time is over or somebody confirms.
#
# Plain POSIX sh. It reads from stdin, or from the file $1, which it removes: base path of its files, path of the
# receipt of the run it guards (or empty), hold or revert, deadline, limit of the undo, interpreter for scripts (or
# empty), shell, its holder, working directory, and then the undo. Times are hundredths of a second of /proc/uptime.

trap '' HUP INT QUIT PIPE
umask 077
if [ -n "${1-}" ]; then
  exec <"$1"
  rm -f "$1"
fi
for g_i in g_c g_run g_how g_until g_limit g_shell g_sh g_by g_pwd; do IFS= read -r $g_i || exit 1; done
g_undo=$(cat)
exec </dev/null >/dev/null 2>&1
cd "$g_pwd" || cd /

# The time in g_t. Where /proc is gone since, a look counts for $1: what its caller sleeps between two.
g_now() {
  if read -r g_l g_x </proc/uptime; then
    g_x=${g_l#*.}
    g_t=$((${g_l%.*} * 100 + 1$g_x - 100))
  else
    g_t=$((g_t + ${1-0}))
  fi
}
# A host under repair may have lost the way to its tools.
g_sleep() {
  sleep "$1" || /bin/sleep "$1" || /usr/bin/sleep "$1" || sleep 1 || busybox sleep 1
}
# Creates file $1 with the line $2, whole or not at all; false if it is there.
g_put() {
  printf '%s end\n' "$2" >"$1.new$3" && ln "$1.new$3" "$1"
  g_l=$?
  rm -f "$1.new$3"
  return $g_l
}
g_line() {
  IFS= read -r g_l <"$1" && case $g_l in *' end') g_l=${g_l%' end'} ;; *) return 1 ;; esac
}
# State and start time of process $1.
g_stat() {
  IFS= read -r g_l <"/proc/$1/stat" || return 1
  set -- ${g_l##*') '}
  g_state=$1 g_start=${20}
}
g_alive() {
  g_stat "$1" && [ "$g_start" = "$2" ] && [ "$g_state" != Z ]
}
# Sleeps until $1, a second at most.
g_nap() {
  g_i=$(($1 - g_t))
  if [ "$g_i" -ge 100 ]; then
    g_sleep 1
  elif [ "$g_i" -gt 0 ]; then
    [ "$g_i" -ge 10 ] || g_i=0$g_i
    g_sleep "0.$g_i"
  fi
}

IFS= read -r g_boot </proc/sys/kernel/random/boot_id
g_stat self && [ -r /proc/uptime ] || exit 1
g_start_own=$g_start g_t=0
IFS=' ' read -r g_pid g_x </proc/self/stat
# Room for the last word is taken while there is some: `ln` needs none then.
printf 'over end\n' >"$g_c.over" || exit 1
g_put "$g_c.live" "$g_pid $g_start_own $g_boot $g_by $g_how $g_until" g || exit 1

# Waits: whoever creates the next numbered file first has decided.
g_k=0 g_tries=0
while :; do
  while g_line "$g_c.$g_k"; do
    case $g_l in
    'more '*) g_until=${g_l#more } g_k=$((g_k + 1)) ;;
    over) break 2 ;;
    *)
      rm -f "$g_c.over"
      exit 0
      ;;
    esac
  done
  # Without a clock a round counts for the second that it sleeps. Who has neither clock nor sleep cannot wait, and
  # is done with waiting at once: no guard goes round for ever.
  g_now 100
  if [ "$g_t" -ge "$g_until" ]; then
    ln "$g_c.over" "$g_c.$g_k" && break
    [ -e "$g_c.$g_k" ] && continue
    # A file system that takes no link takes no confirmation either.
    g_tries=$((g_tries + 1))
    [ "$g_tries" -lt 10 ] || break
    g_sleep 0.1
  else
    g_nap "$g_until"
  fi
done
rm -f "$g_c.over"
g_now

# A run that has not begun never will. One that is under way is ended before it is taken back.
g_begun=yes
if [ -n "$g_run" ]; then
  set -C
  { printf 'void proven end\n'; } >"$g_run" && g_begun=no
  set +C
  g_line "$g_run" && case $g_l in void*) g_begun=no ;; esac
fi
g_put "$g_c.fired" "$g_t $g_until $g_begun" f
[ "$g_how" = revert ] || exit 0
if [ "$g_begun" = no ]; then
  g_put "$g_c.end" "idle $g_t" g
  exit 0
fi
if [ -n "$g_run" ] && [ ! -e "$g_run.rc" ] && g_line "$g_run"; then
  set -- $g_l
  if [ "${5-}" = "$g_boot" ] && [ "${3-0}" -gt 1 ] && g_alive "$2" "$4"; then
    set -C
    { printf 'timed_out 0 end\n'; } >"$g_run.kill"
    set +C
    kill -TERM "-$3"
    kill -CONT "-$3"
    for g_i in 1 2 3 4 5 6 7 8 9 10; do
      kill -0 "-$3" || break
      g_sleep 0.2
    done
    kill -KILL "-$3"
  fi
fi

# Takes it back, in a process group of its own, so that one that hangs can be ended.
g_first='printf "%s end\n" $$ >"$0"; '
g_rest='eval "exec </dev/null; $(cat)"'
if [ -z "$g_shell" ]; then
  g_shell=$g_sh
  case $g_sh in *bash) g_rest="set -o posix; $g_rest" ;; esac
fi
(
  trap - HUP INT QUIT PIPE
  umask 022
  printf '%s\n' "$g_undo" | setsid "$g_shell" -c "$g_first$g_rest" "$g_c.pid"
  g_rc=$?
  g_now
  g_put "$g_c.end" "$g_rc $g_t" u
) &
g_u=$!
g_now
g_end=$((g_t + g_limit))
# Until it has ended, by its record or, where none can be written, by its process.
while [ ! -e "$g_c.end" ] && g_stat "$g_u" && [ "$g_state" != Z ]; do
  g_now 10
  if [ "$g_t" -ge "$g_end" ]; then
    if g_line "$g_c.pid"; then
      kill -TERM "-$g_l"
      g_sleep 1
      kill -KILL "-$g_l"
    fi
    g_put "$g_c.end" "timeout $g_t" g
    exit 0
  fi
  g_sleep 0.1
done
exit 0
