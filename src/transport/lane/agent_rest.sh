# What a lane seldom needs: the second half of agent.sh, to which the same rules apply. It is sent over before the first
# order that is no J, and at once where jobs are made by setsid.

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

# The life of a job in a fresh sh, which reads what that needs from its stdin.
_b_child='
  for _b_i in _b_n _b_c _b_own _b_boot _b_shell _b_lines; do IFS= read -r $_b_i || exit 0; done
  _b_s=
  while [ "$_b_lines" -gt 0 ]; do
    IFS= read -r _b_l || exit 0
    _b_s=$_b_s$_b_l${IFS#??}
    _b_lines=$((_b_lines - 1))
  done
  exec </dev/null
'"$_b_self$_b_body"'
  eval "'"$_b_last"'$_b_s"
'

# S nonce claim|- lines bytes is J in two parts: the script lies ready, and starts when the nonce comes once more, on
# a line of its own. At end-of-file, or with any other line, it never does, and nothing was claimed. With job control
# the process of the job is there already and reads that line itself: what is left to do then is little.
_b_hold() {
  case $_b_c in ?*)
    if [ -e "$_b_c" ] || [ -L "$_b_c" ]; then
      _b_say 'no claimed'
      _b_way=none _b_c=
      return
    fi
    case $_b_way in jobs) _b_way=staged; return ;; esac
    ;;
  esac
  _b_await || exit 0
}
_b_await() {
  _b_say staged
  read -r _b_l && [ "$_b_l" = "$_b_n" ]
}
eval "_b_staged() { $_b_self _b_await || exit 125; exec </dev/null; $_b_body }"

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
