# What Blackstart runs on a host: a loop that reads framed orders on stdin and answers on stdout.
#
# Plain POSIX sh (dash, bash, busybox ash). It is sent over the wire at each start and leaves no file of its
# own. Comments and indentation are stripped before it is sent, so it may hold no here-document and no text
# of several lines other than code. Its caller sets before: _b_hello (nonce of the first answer), _b_run (the
# run's id), _b_receipts (directory for receipts, or empty), _b_shell (interpreter for scripts, or empty); and
# puts the text that forgets all these names in place of @forget@. What is seldom needed is in agent_rest.sh, and comes
# when it is: a shell takes a millisecond to read it, and most lanes never need it.
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
  # bash of 4.1 and later reads so many characters at once; all else reads a pipe byte by byte.
  case $BASH_VERSION in [123].* | 4.0*) ;; *) _b_bulk=1 ;; esac
  # To this one a byte is a character without more ado.
  case $BASH_VERSION:${LC_ALL:-${LC_CTYPE:-${LANG:-C}}} in [1234].*) ;; *:C | *:POSIX) _b_bulk=2 ;; esac
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

_b_nap() {
  sleep "$1" || sleep 1
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

# The life of a job, in its own process: who am I; then claim, say so, out with the agent's own streams, and over to another
# interpreter if there is one. Needs _b_n (nonce), _b_c (claim's file or empty), _b_own, _b_boot, _b_shell, _b_s (script).
# Texts, because the setsid mode hands them to a fresh sh. The name of a shell that has got here holds no blank.
_b_self='
  _b_pid=$$ _b_pgid=0 _b_start=-
  if read -r _b_l </proc/self/stat; then
    set -- $_b_l
    _b_pid=$1 _b_pgid=$5 _b_start=${22}
  fi
'
_b_body='
  if [ -n "$_b_c" ]; then
    _b_k=
    set -C
    { _b_k=1; printf "%s\n" "1 $_b_pid $_b_pgid $_b_start $_b_boot $_b_own end" || _b_k=2; } >"$_b_c"
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
  set +C +m
  case $_b_shell in ?*)
    printf "%s\n" "$_b_s" | exec "$_b_shell" -c "eval \"exec </dev/null; \$(cat)\""
    exit
    ;;
  esac
'
eval "_b_begin() { $_b_self$_b_body }"
# Then the script, put after this, where no other interpreter has taken it.
_b_last='@forget@; set --; '

_b_n=$_b_hello
_b_say "hello 1 ${_b_me% *} $_b_mode $_b_boot ${EUID:--}"
printf '\036%s hello\036' "$_b_n" >&3
while read -r _b_v _b_n _b_a _b_y _b_z; do
  case $_b_v in
  # J nonce claim|- lines bytes, then the script; L - - lines bytes, then the rest of this. What each step needs is not in
  # functions: to call one costs a step more than most of what is in it. Nor is the script, which would notice. Where it can,
  # the job's own process reads the script: it is there when the last byte comes.
  J | S | L)
    _b_way=$_b_mode
    case $_b_bulk$_b_v$_b_way$_b_a in
    2Jjobs[!-]*) _b_way=reads ;;
    2*) read -r -N "$_b_z" _b_s || exit 0 ;;
    1*) LC_ALL=C IFS= read -r -N "$_b_z" _b_s || exit 0 ;;
    *)
      _b_s= _b_i=$_b_y
      while [ "$_b_i" -gt 0 ]; do
        IFS= read -r _b_l || exit 0
        _b_s=$_b_s$_b_l$_b_nl
        _b_i=$((_b_i - 1))
      done
      ;;
    esac
    case $_b_v in L)
      eval "$_b_s"
      continue
      ;;
    esac
    _b_rc=0 _b_left=0 _b_c= _b_seq=$((_b_seq + 1))
    _b_own="$_b_me $_b_seq"
    case $_b_a in
    -) ;;
    *)
      if [ -n "$_b_dir" ] || _b_open; then
        _b_c=$_b_dir/$_b_a
      else
        case $_b_way in reads) read -r -N "$_b_z" _b_s || exit 0 ;; esac
        _b_say "no unwritable $_b_why"
        _b_way=none
      fi
      ;;
    esac
    case $_b_v$_b_way in
    Snone) ;;
    S*) _b_hold ;;
    esac
    case $_b_way in
    jobs)
      (_b_begin; eval "$_b_last$_b_s") </dev/null &
      _b_job=$!
      ;;
    reads)
      (read -r -N "$_b_z" _b_s || exit 125; exec </dev/null; _b_begin; eval "$_b_last$_b_s") &
      _b_job=$!
      ;;
    staged)
      (_b_staged; eval "$_b_last$_b_s") &
      _b_job=$!
      ;;
    setsid)
      printf '%s\n' "$_b_n" "$_b_c" "$_b_own" "$_b_boot" "$_b_shell" "$_b_y" "${_b_s%"$_b_nl"}" |
        setsid sh -c "$_b_child"
      _b_rc=$?
      ;;
    lane)
      (_b_begin; eval "$_b_last$_b_s") </dev/null
      _b_rc=$?
      ;;
    esac
    case $_b_way in jobs | reads | staged)
      wait $_b_job
      _b_rc=$?
      # Job control also tells of a job that was only stopped (SIGSTOP and the like).
      case $_b_rc in 14[789] | 150)
        while kill -0 $_b_job; do
          _b_nap 0.2
          wait $_b_job
          _b_rc=$?
        done
        ;;
      esac
      if kill -0 "-$_b_job"; then _b_left=1; fi
      ;;
    esac
    case $_b_c in ?*)
      # Only the owner of a claim records its end: a job that was refused has none.
      if read -r _b_l _b_l _b_p _b_l _b_l _b_l <"$_b_c" && [ "$_b_l" = "$_b_own end" ]; then
        printf '%s end\n' "$_b_rc" >"$_b_c.rc" || _b_left=2
        case $_b_way in setsid) if [ "$_b_p" -gt 1 ] && kill -0 "-$_b_p"; then _b_left=1; fi ;; esac
      else
        # It was not to start (125), or was killed before it could, and some of its script may be left on stdin: no order
        # stands there.
        case $_b_way in reads | staged) [ $_b_rc -lt 125 ] || exit 0 ;; esac
        _b_dir=
      fi
      ;;
    esac
    printf '\036%s end %s %s\036' "$_b_n" "$_b_rc" "$_b_left"
    printf '\036%s end\036' "$_b_n" >&3
    # Without a recorded end the agent must not live on: a living agent promises that the end will be recorded.
    case $_b_left in 2) exit 0 ;; esac
    ;;
  K) _b_kill $_b_a $_b_y $_b_z ;;
  R) _b_resolve $_b_a $_b_y ;;
  W) _b_where ;;
  U) _b_upload $_b_a $_b_y $_b_z ;;
  F) _b_forget ;;
  *) exit 64 ;;
  esac
done
exit 0
