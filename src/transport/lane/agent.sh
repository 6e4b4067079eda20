# What Blackstart runs on a host: a loop that reads framed orders on stdin and answers on stdout.
#
# Plain POSIX sh (dash, bash, busybox ash). It is sent over the wire at each start and leaves no file of its
# own. Comments and indentation are stripped before it is sent, so it may hold no here-document and no text
# of several lines other than code. Its caller sets before: _b_hello (nonce of the first answer), _b_run (the
# run's id), _b_receipts (directory for receipts, or empty), _b_shell (interpreter for scripts, or empty); and
# puts the text that forgets all these names in place of @forget@.
#
# Every answer is RS nonce SP words RS, RS being the byte 036; the nonce is fresh for each order.
# docs/HOST-PROTOCOL.md describes orders, answers and receipts.

_b_nl=${IFS#??}
_b_dir=
_b_seq=0
_b_bulk=0
_b_relays=${blackstart_relays-}
unset -v blackstart_relays
exec 3>&2 2>/dev/null

# A process group of its own for each job: by job control (bash, which needs no terminal for it), by setsid, or,
# with neither, the lane's own group.
if [ -n "${BASH_VERSION-}" ]; then
  set -o posix
  set -m
  _b_mode=jobs
  # bash of 4.1 and later reads so many bytes at once; all else reads a pipe byte by byte.
  case $BASH_VERSION in [123].* | 4.0*) ;; *) _b_bulk=1 ;; esac
elif command -v setsid >/dev/null; then
  _b_mode=setsid
else
  _b_mode=lane
fi

IFS= read -r _b_boot </proc/sys/kernel/random/boot_id || _b_boot=-

# Sets state, pgid and start time of process $1 (or of this one: `self`); false if there is no such process.
# Without /proc the numbers stay unknown, and existence is all that can be told.
_b_stat() {
  _b_state= _b_pid=$1 _b_pgid=0 _b_start=-
  if ! IFS= read -r _b_l <"/proc/$1/stat"; then
    [ -e /proc/self/stat ] && return 1
    [ "$1" = self ] && { _b_pid=$$; return 0; }
    kill -0 "$1"
    return
  fi
  _b_pid=${_b_l%% *}
  set -- ${_b_l##*') '}
  _b_state=$1 _b_pgid=$3 _b_start=${20}
}
_b_stat self
_b_me="$_b_pid $_b_start"
_b_group=$_b_pgid

# Does process group $1, led by process $1 or $2 started at $3, still have a member that is not a zombie? A leader
# with another start time is another process under a reused number.
_b_alive() {
  kill -0 "-$1" || return 1
  [ -e /proc/self/stat ] || return 0
  _b_stat "$2" && [ "$3" != - ] && [ "$_b_start" != "$3" ] && return 1
  for _b_p in /proc/[0-9]*; do
    _b_stat "${_b_p#/proc/}" || continue
    [ "$_b_pgid" = "$1" ] || continue
    case $_b_state in Z | X) ;; *) return 0 ;; esac
  done
  return 1
}

_b_nap() {
  sleep "$1" || sleep 1
}

# Waits, but not for long, until the relays of both streams have passed all on: some servers close a channel at the
# end of its process, whatever is still on its way. Only the bash that made the relays knows their numbers.
_b_drain() {
  exec >&- 3>&-
  _b_i=0
  while [ "$_b_i" -lt 100 ] && kill -0 $_b_relays; do
    _b_nap 0.02
    _b_i=$((_b_i + 1))
  done
}

# One answer on stdout.
_b_say() {
  printf '\036%s %s\036' "$_b_n" "$*"
}

# A directory, no link, and ours: nobody else can have put it there.
_b_ours() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] && [ -w "$1" ]
}

# As above, and closed to everybody else.
_b_private() {
  _b_ours "$1" || return 1
  case $(ls -ld "$1") in drwx------*) return 0 ;; esac
  return 1
}

# Could $1 be made, or is it usable? Nothing is made.
_b_usable() {
  if [ -e "$1" ] || [ -L "$1" ]; then _b_ours "$1"; return; fi
  _b_p=${1%/*}
  while [ -n "$_b_p" ] && [ ! -e "$_b_p" ] && [ ! -L "$_b_p" ]; do
    _b_p=${_b_p%/*}
  done
  [ -d "${_b_p:-/}" ] && [ -w "${_b_p:-/}" ]
}

# Chooses where receipts lie: where this run has them already, else the first place that would do.
# Makes nothing. False, with the reason in _b_why, if there is none.
_b_find() {
  _b_place=
  if [ -n "$_b_receipts" ]; then
    case $_b_receipts in /*) ;; *) _b_why="receipts_dir $_b_receipts is not an absolute path"; return 1 ;; esac
    set -- "$_b_receipts"
  else
    _b_uid=${EUID:-$(id -u)}
    set --
    case ${HOME-} in /?*) [ -d "$HOME" ] && [ -O "$HOME" ] && set -- "$HOME/.blackstart" ;; esac
    set -- "$@" "/var/lib/blackstart-$_b_uid" "/var/tmp/blackstart-$_b_uid"
  fi
  for _b_p in "$@"; do
    if _b_ours "$_b_p" && _b_ours "$_b_p/$_b_run"; then _b_place=$_b_p; return 0; fi
  done
  _b_why="no place for receipts: cannot use"
  for _b_q in "$@"; do
    if _b_usable "$_b_q"; then _b_place=$_b_q; return 0; fi
    _b_why="$_b_why $_b_q"
  done
  return 1
}

# Makes directories, one inside the other. Private from their first moment, for another agent may look at them at once:
# some `mkdir -m` make it first and close it then; and private where the directory above has ACLs for what comes into it.
_b_mkdir() {
  (umask 077 && exec mkdir -m 700 "$@")
}

# Makes this run's directory for receipts, if need be. The marker `host` names the boot it was made in ($1: or says
# that it cannot prove anything, because there had been receipts that are lost).
_b_open() {
  [ -n "$_b_dir" ] && return
  _b_find || return 1
  _b_why="cannot make a private directory $_b_place/$_b_run"
  _b_p=
  if [ ! -d "$_b_place" ]; then
    case $_b_receipts in ?*) mkdir -p "${_b_place%/*}/" ;; esac
    _b_mkdir "$_b_place" "$_b_place/$_b_run" && _b_p=made
  fi
  if [ -z "$_b_p" ]; then
    _b_private "$_b_place" || return 1
    [ -d "$_b_place/$_b_run" ] || _b_mkdir "$_b_place/$_b_run"
  fi
  _b_ours "$_b_place/$_b_run" || return 1
  set -C
  { printf '%s end\n' "${1:-$_b_boot}"; } >"$_b_place/$_b_run/host"
  set +C
  [ -e "$_b_place/$_b_run/host" ] || return 1
  _b_dir=$_b_place/$_b_run
}

# Points _b_c at the claim called $1 without making anything; false if the run has no directory here.
_b_look() {
  _b_find && _b_ours "$_b_place/$_b_run" || return 1
  _b_c=$_b_place/$_b_run/$1
}

# Tries to be the first to create file $1 with the line $2. _b_k: 1 done, 2 created but not written, empty: not created.
_b_first() {
  _b_k=
  set -C
  { _b_k=1; printf '%s\n' "$2" || _b_k=2; } >"$1"
  set +C
}

# A line of file $1 in _b_l; false unless it is whole.
_b_whole() {
  _b_l=
  IFS= read -r _b_l <"$1" && case $_b_l in *' end') _b_l=${_b_l%' end'} ;; *) return 1 ;; esac
}

# What the receipt at _b_c says, in _b_r.
_b_receipt() {
  _b_r=missing
  [ -e "$_b_c" ] || [ -L "$_b_c" ] || return 0
  for _b_t in 0.02 0.1 0.5 no; do
    _b_whole "$_b_c" && break
    [ $_b_t = no ] && { _b_r='gone torn'; return; }
    _b_nap $_b_t
  done
  case $_b_l in void*) _b_r=$_b_l; return ;; esac
  set -- $_b_l
  _b_ended && return
  if [ "$5" != "$_b_boot" ]; then _b_r='gone rebooted'; return; fi
  if _b_stat "$2" && [ "$_b_start" = "$4" ] && [ "$_b_state" != Z ]; then _b_r="running $2 $3 $4"; return; fi
  # Its agent will record its end, unless that is this very agent, which has nothing under way.
  if [ "$6 $7" != "$_b_me" ] && _b_stat "$6" && [ "$_b_start" = "$7" ] && [ "$_b_state" != Z ]; then _b_r="ending $2 $3 $4"; return; fi
  _b_ended && return
  if _b_whole "$_b_c.kill"; then _b_r="killed $_b_l"; else _b_r='gone vanished'; fi
}
_b_ended() {
  _b_whole "$_b_c.rc" || return 1
  _b_r="ended $_b_l"
  if _b_whole "$_b_c.kill"; then _b_r="killed $_b_l"; fi
  return 0
}

# The life of a job, in its own process: who am I, then claim, say so, forget the agent, run. Needs _b_n (nonce), _b_c
# (claim's file or empty), _b_own, _b_boot, _b_shell, _b_s (script). Texts, because the setsid mode hands them to a fresh sh.
_b_self='
  _b_pid=$$ _b_pgid=0 _b_start=-
  if IFS= read -r _b_l </proc/self/stat; then
    _b_pid=${_b_l%% *}
    set -- ${_b_l##*") "}
    _b_pgid=$3 _b_start=${20}
  fi
'
_b_body='
  if [ -n "$_b_c" ]; then
    _b_k=
    set -C
    { _b_k=1; printf "%s\n" "1 $_b_pid $_b_pgid $_b_start $_b_boot $_b_own end" || _b_k=2; } >"$_b_c"
    set +C
    if [ "$_b_k" != 1 ]; then
      _b_l="unwritable cannot write $_b_c: is the disk full, or a quota?"
      if [ -z "$_b_k" ]; then
        if [ -e "$_b_c" ] || [ -L "$_b_c" ]; then _b_l=claimed; fi
      fi
      printf "\036%s no %s\036" "$_b_n" "$_b_l"
      exit 0
    fi
  fi
  printf "\036%s go %s %s %s\036" "$_b_n" "$_b_pid" "$_b_pgid" "$_b_start"
  exec 2>&3 3>&-
  set +m
  if [ -z "$_b_shell" ]; then
    eval "@forget@; set --; $_b_s"
  else
    printf "%s\n" "$_b_s" | exec "$_b_shell" -c "eval \"exec </dev/null; \$(cat)\""
  fi
'
# The same for a fresh sh, which reads what the body needs from its stdin.
_b_child='
  for _b_i in _b_n _b_c _b_own _b_boot _b_shell _b_lines; do IFS= read -r $_b_i || exit 0; done
  _b_s=
  while [ "$_b_lines" -gt 0 ]; do
    IFS= read -r _b_l || exit 0
    _b_s=$_b_s$_b_l${IFS#??}
    _b_lines=$((_b_lines - 1))
  done
  exec </dev/null
'"$_b_self$_b_body"

# J nonce claim|- lines bytes: reads the script in the next so many lines and readies its receipt. False if that
# cannot be.
_b_take() {
  _b_s= _b_lines=$2 _b_i=$2
  if [ "$_b_bulk" = 1 ]; then
    LC_ALL=C IFS= read -r -N "$3" _b_s || exit 0
  else
    while [ "$_b_i" -gt 0 ]; do
      IFS= read -r _b_l || exit 0
      _b_s=$_b_s$_b_l$_b_nl
      _b_i=$((_b_i - 1))
    done
  fi
  _b_left=0 _b_rc=0 _b_c=
  if [ "$1" != - ]; then
    if ! _b_open; then
      _b_say "no unwritable $_b_why"
      return 1
    fi
    _b_c=$_b_dir/$1
  fi
  _b_seq=$((_b_seq + 1))
  _b_own="$_b_me $_b_seq"
}
# Records the end of a claimed job. Only the owner of the claim does: a job that was refused has no end.
_b_record() {
  if _b_whole "$_b_c" && [ "${_b_l#* * * * * }" = "$_b_own" ]; then
    printf '%s end\n' "$_b_rc" >"$_b_c.rc" || _b_left=2
    set -- $_b_l
    if [ "$_b_mode" = setsid ] && [ "$3" -gt 1 ] && kill -0 "-$3"; then _b_left=1; fi
  else
    _b_dir=
  fi
}

# S nonce claim|- lines bytes is J in two parts: the script lies ready, and starts when the nonce comes once more, on
# a line of its own. At end-of-file, or with any other line, it never does, and nothing was claimed. With job control
# the process of the job is there already and reads that line itself: what is left to do then is little.
_b_hold() {
  _b_fork=later
  [ "$_b_v" = S ] || return 0
  if [ -n "$_b_c" ]; then
    if [ -e "$_b_c" ] || [ -L "$_b_c" ]; then
      _b_say 'no claimed'
      return 1
    fi
    if [ $_b_mode = jobs ]; then _b_fork=now; return; fi
  fi
  _b_await || exit 0
}
_b_await() {
  _b_say staged
  read -r _b_l && [ "$_b_l" = "$_b_n" ]
}

# K nonce pgid pid start grace_ms claim|- word ms: ends a process group, gently first, and says whether it is gone.
_b_kill() {
  _b_c=
  if [ "$5" != - ]; then
    _b_look "$5" || _b_c=
  fi
  [ "$1" -gt 1 ] && [ "$1" != "$_b_group" ] || { _b_say "alive refused"; return; }
  if [ -n "$_b_c" ] && _b_ended; then _b_say over; return; fi
  _b_alive "$1" "$2" "$3" || { _b_say over; return; }
  [ -z "$_b_c" ] || _b_first "$_b_c.kill" "$6 $7 end"
  kill -TERM "-$1"
  kill -CONT "-$1"
  _b_gone_by "$4" "$1" "$2" "$3" && { _b_say gone; return; }
  kill -KILL "-$1"
  _b_gone_by 3000 "$1" "$2" "$3" && { _b_say gone; return; }
  _b_say alive
}
# Waits up to $1 ms for the group to be gone.
_b_gone_by() {
  _b_i=0
  for _b_t in 10 20 50; do
    _b_alive "$2" "$3" "$4" || return 0
    _b_nap "0.0$_b_t"
    _b_i=$((_b_i + _b_t))
  done
  while _b_alive "$2" "$3" "$4"; do
    [ "$_b_i" -lt "$1" ] || return 1
    _b_nap 0.2
    _b_i=$((_b_i + 200))
  done
  return 0
}

# R nonce claim age|-: what became of a claim? One that was never made is spent. Missing receipts prove
# that it was not made only if the host runs since they were opened, or for longer than the run (age, in seconds).
_b_resolve() {
  _b_x=lost _b_v=$1 _b_y=$2
  if _b_look "$1"; then
    _b_receipt
    [ "$_b_r" = missing ] || { _b_say "$_b_r"; return; }
    if _b_whole "${_b_c%/*}/host" && [ "$_b_l" = "$_b_boot" ] && [ "$_b_boot" != - ]; then _b_x=proven; fi
    _b_y=-
  fi
  if [ "$_b_y" != - ] && IFS=. read -r _b_l _b_z </proc/uptime && [ "$_b_l" -gt "$_b_y" ]; then _b_x=proven; fi
  _b_dir=
  case $_b_x in lost) _b_q=lost ;; *) _b_q=$_b_boot ;; esac
  if ! _b_open "$_b_q"; then _b_say "void lost $_b_why"; return; fi
  _b_c=$_b_dir/$_b_v
  _b_first "$_b_c" "void $_b_x end"
  if [ "$_b_k" = 2 ]; then _b_say 'void lost cannot spend the claim'; return; fi
  _b_receipt
  _b_say "$_b_r"
}

# W nonce: where would receipts lie?
_b_where() {
  if _b_find; then _b_say "at $_b_place"; else _b_say "no $_b_why"; fi
}

# U nonce name bytes sha256: takes the rest of stdin as a private file beside the receipts, checks it, and ends.
_b_upload() {
  _b_open || { _b_say "refused $_b_why"; _b_drain; exit 0; }
  _b_c=$_b_dir/$1
  rm -f "$_b_c"
  _b_x=
  set -C
  { cat || _b_x="cannot write $_b_c"; } >"$_b_c" || _b_x="cannot write $_b_c"
  set +C
  _b_i=$(wc -c <"$_b_c") || _b_i=0
  if [ -z "$_b_x" ] && [ "$((_b_i))" != "$2" ]; then _b_x="$((_b_i)) of $2 bytes came"; fi
  if [ -z "$_b_x" ] && command -v sha256sum >/dev/null; then
    _b_l=$(sha256sum <"$_b_c") && [ "${_b_l%% *}" = "$3" ] || _b_x="SHA-256 differs"
  fi
  if [ -z "$_b_x" ]; then _b_say "at $_b_c"; else rm -f "$_b_c"; _b_say "no $_b_x"; fi
  _b_drain
  exit 0
}

# F nonce: removes this run's receipts.
_b_forget() {
  if _b_look x; then
    rm -rf "${_b_c%/*}"
    rmdir "$_b_place"
    _b_dir=
    [ -e "${_b_c%/*}" ] && { _b_say "no cannot remove ${_b_c%/*}"; return; }
  fi
  _b_say done
}

_b_n=$_b_hello
_b_say "hello 1 ${_b_me% *} $_b_mode $_b_boot ${EUID:--}"
printf '\036%s hello\036' "$_b_n" >&3
while read -r _b_v _b_n _b_a; do
  case $_b_v in
  J | S)
    # Not in a function, so that the script is not in one either.
    if _b_take $_b_a && _b_hold; then
      case $_b_mode in
      jobs)
        case $_b_fork in
        # One text, so that all of it has been read by the shell when the line comes.
        now) (eval "$_b_self"; eval "_b_await || exit 125; exec </dev/null; {$_b_body}") & ;;
        later) (eval "$_b_self$_b_body") </dev/null & ;;
        esac
        wait $!
        _b_rc=$?
        # Job control also tells of a job that was only stopped (SIGSTOP and the like).
        case $_b_rc in 14[789] | 150)
          while kill -0 $!; do
            _b_nap 0.2
            wait $!
            _b_rc=$?
          done
          ;;
        esac
        # It was not to start (125), or was killed before it could, and nothing was claimed: it lies ready no more.
        [ $_b_fork = later ] || [ $_b_rc -lt 125 ] || [ -e "$_b_c" ] || exit 0
        if kill -0 "-$!"; then _b_left=1; fi
        ;;
      setsid)
        printf '%s\n' "$_b_n" "$_b_c" "$_b_own" "$_b_boot" "$_b_shell" "$_b_lines" "${_b_s%"$_b_nl"}" |
          setsid sh -c "$_b_child"
        _b_rc=$?
        ;;
      lane)
        (eval "$_b_self$_b_body") </dev/null
        _b_rc=$?
        ;;
      esac
      [ -z "$_b_c" ] || _b_record
    fi
    _b_say "end $_b_rc $_b_left"
    printf '\036%s end\036' "$_b_n" >&3
    # Without a recorded end the agent must not live on: a living agent promises that the end will be recorded.
    [ "$_b_left" != 2 ] || exit 0
    ;;
  K) _b_kill $_b_a ;;
  R) _b_resolve $_b_a ;;
  W) _b_where ;;
  U) _b_upload $_b_a ;;
  F) _b_forget ;;
  *) exit 64 ;;
  esac
done
exit 0
