# Arms a guard: a claimed job of a lane. Says `guard armed …` when the guard was seen to live, else why it is refused.
#
# Its caller sets before: g_dir (directory of the run's receipts), g_task, g_n (number of this guard), g_run (name of
# the receipt of the run it guards), g_how, g_within, g_limit, g_shell, g_test (undo of the self-test's marker, or
# empty), g_undo, g_guard (text of the guard), g_systemd (directory that is there where systemd runs).

g_refuse() {
  printf 'guard refused %s\n' "$*"
  exit 1
}
g_now() {
  read -r g_t g_x </proc/uptime || return 1
  g_x=${g_t#*.}
  g_t=$((${g_t%.*} * 100 + 1$g_x - 100))
}
g_line() {
  IFS= read -r g_l <"$1" && case $g_l in *' end') g_l=${g_l%' end'} ;; *) return 1 ;; esac
}
g_put() {
  printf '%s end\n' "$2" >"$1.newa" && ln "$1.newa" "$1"
  g_l=$?
  rm -f "$1.newa"
  return $g_l
}
g_nap() {
  sleep 0.05 || sleep 1
}

umask 077
g_c=$g_dir/$g_task.arm.$g_n
# What systemd hands over holds the undo and its secrets: it stays for nobody, however this ends.
trap 'rm -f "$g_c.sh" "$g_c.in" "$g_c.test.sh" "$g_c.test.in"' EXIT
trap 'exit 1' HUP INT TERM
[ -e "$g_c" ] || g_refuse "no receipt of it in $g_dir"
command -v setsid >/dev/null || g_refuse "the host has no setsid"
command -v ln >/dev/null || g_refuse "the host has no ln"
g_now 2>/dev/null || g_refuse "the host has no /proc/uptime to count by"

# Guards before it give way: there is one at a time. One that was ordered and never came can never come.
g_i=1
while [ "$g_i" -lt "$g_n" ]; do
  g_old=$g_dir/$g_task.arm.$g_i
  if ! g_put "$g_old.live" "0 0 - - - 0" 2>/dev/null; then
    g_k=0
    while ! g_put "$g_old.$g_k" replaced 2>/dev/null; do
      g_line "$g_old.$g_k" || g_refuse "cannot write in $g_dir"
      case $g_l in
      'more '*) g_k=$((g_k + 1)) ;;
      over)
        g_line "$g_old.live"
        set -- $g_l
        if [ "$5" = revert ] && [ ! -e "$g_old.end" ] && kill -0 "$1" 2>/dev/null; then
          g_refuse "an earlier guard of it is at work"
        fi
        break
        ;;
      *) break ;;
      esac
    done
  fi
  g_i=$((g_i + 1))
done

# Which shell, and who holds it: systemd where it runs and obeys us, else a process in a session of its own.
g_sh=sh
if [ -n "${BASH_VERSION-}" ]; then g_sh=bash; fi
g_by=detached
case $g_dir in
*[!A-Za-z0-9_./-]*) ;;
*)
  if [ -d "$g_systemd" ] && [ "$(id -u)" = 0 ] && command -v systemd-run >/dev/null; then g_by=systemd; fi
  ;;
esac
# base, receipt, hold or revert, time, undo
g_launch() {
  if [ "$g_by" = systemd ]; then
    printf '%s\n' "$g_guard" >"$1.sh"
    printf '%s\n' "$1" "$2" "$3" "$4" "$g_limit" "$g_shell" "$g_sh" systemd "$PWD" "$5" >"$1.in"
    systemd-run --quiet --collect --unit="blackstart-${g_dir##*/}-${1##*/}" \
      --setenv=PATH="$PATH" --setenv=HOME="${HOME-/}" --setenv=USER="${USER-}" --setenv=LOGNAME="${LOGNAME-}" \
      --property=StandardOutput=null --property=StandardError=null --property=KillMode=process \
      /bin/sh "$1.sh" "$1.in" </dev/null >/dev/null 2>&1 && return
    rm -f "$1.in" "$1.sh"
    g_by=detached
  fi
  (
    exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    printf '%s\n' "$1" "$2" "$3" "$4" "$g_limit" "$g_shell" "$g_sh" detached "$PWD" "$5" |
      setsid sh -c "$g_guard" >/dev/null 2>&1 &
  )
}
# Was the guard called $1 seen to live within five seconds?
g_lives() {
  g_now
  g_end=$((g_t + 500))
  while ! g_line "$1.live" 2>/dev/null; do
    g_now
    [ "$g_t" -lt "$g_end" ] || return 1
    g_nap
  done
  set -- $g_l
  [ "$1" != 0 ] && kill -0 "$1"
}

g_tested=-1
if [ -n "$g_test" ]; then
  : >"$g_c.test.mark" || g_refuse "cannot write in $g_dir"
  g_now
  g_launch "$g_c.test" '' revert $((g_t + 100)) "$g_test"
  g_lives "$g_c.test" || g_refuse "self-test: the guard did not come to life"
  g_end=$((g_t + 500))
  while [ ! -e "$g_c.test.end" ]; do
    g_now
    [ "$g_t" -lt "$g_end" ] || g_refuse "self-test: the guard did not fire within five seconds"
    g_nap
  done
  g_line "$g_c.test.end"
  case $g_l in '0 '*) ;; *) g_refuse "self-test: the undo ended with ${g_l%% *}" ;; esac
  [ ! -e "$g_c.test.mark" ] || g_refuse "self-test: the harmless change was not taken back"
  g_line "$g_c.test.fired"
  set -- $g_l
  g_tested=$(($1 - $2))
fi

g_now
g_until=$((g_t + g_within))
g_launch "$g_c" "$g_dir/$g_run" "$g_how" "$g_until" "$g_undo"
g_lives "$g_c" || g_refuse "the guard did not come to life"
g_now
printf 'guard armed %s %s %s\n' "$g_by" $((g_until - g_t)) "$g_tested"
