# Asks a guard: a job that claims nothing. Its caller sets g_c (base path of the guard's files), g_verb (confirm, more
# or look) and g_more (hundredths of a second that `more` gives from the present). Says `guard WORD …`.

g_now() {
  read -r g_t g_x </proc/uptime || return 1
  g_x=${g_t#*.}
  g_t=$((${g_t%.*} * 100 + 1$g_x - 100))
}
g_line() {
  IFS= read -r g_l <"$1" && case $g_l in *' end') g_l=${g_l%' end'} ;; *) return 1 ;; esac
}
g_put() {
  printf '%s end\n' "$2" >"$1.new$$" && ln "$1.new$$" "$1"
  g_l=$?
  rm -f "$1.new$$"
  return $g_l
}
g_alive() {
  IFS= read -r g_l <"/proc/$1/stat" || return 1
  g_start=$2
  set -- ${g_l##*') '}
  [ "${20}" = "$g_start" ] && [ "$1" != Z ]
}
g_say() {
  printf 'guard %s\n' "$*"
  exit 0
}

exec 2>/dev/null
umask 077
g_line "$g_c.live" || g_say 'gone its host has no record of it'
set -- $g_l
g_pid=$1 g_start=$2 g_boot=$3 g_how=$5 g_until=$6
IFS= read -r g_l </proc/sys/kernel/random/boot_id
g_lives=yes
[ "$g_l" = "$g_boot" ] || g_lives=rebooted
[ "$g_lives" = rebooted ] || g_alive "$g_pid" "$g_start" || g_lives=no
g_k=0 g_tries=0
while :; do
  g_word=open
  if [ -e "$g_c.$g_k" ]; then
    g_line "$g_c.$g_k" || g_say 'lost its record is torn'
    g_word=$g_l
  fi
  case $g_word in
  'more '*)
    g_until=${g_word#more } g_k=$((g_k + 1))
    continue
    ;;
  confirmed*) g_say confirmed ;;
  over) break ;;
  replaced) g_say 'lost another guard took its place' ;;
  esac
  case $g_lives in
  rebooted) g_say 'lost the host restarted' ;;
  no) g_say 'lost somebody ended its process' ;;
  esac
  g_now
  case $g_verb in
  confirm) g_put "$g_c.$g_k" "confirmed $g_t" && g_say confirmed ;;
  more)
    g_new=$((g_t + g_more))
    [ "$g_new" -gt "$g_until" ] || g_new=$g_until
    g_put "$g_c.$g_k" "more $g_new" && g_say more $((g_new - g_t))
    ;;
  look)
    g_left=$((g_until - g_t))
    # Its time is over, and it has not woken up yet.
    [ "$g_left" -gt 0 ] || g_left=0
    g_say armed $g_left
    ;;
  esac
  g_tries=$((g_tries + 1))
  [ "$g_tries" -lt 20 ] || g_say 'gone its records cannot be written'
done
# Its time was over. What it did it writes down at once.
for g_i in 1 2 3 4 5; do
  [ -e "$g_c.fired" ] && break
  sleep 0.1 || sleep 1
done
g_late=0
if g_line "$g_c.fired"; then
  set -- $g_l
  g_late=$(($1 - $2))
fi
[ "$g_how" = revert ] || g_say expired $g_late
if g_line "$g_c.end"; then
  g_say fired $g_late ${g_l%% *}
fi
[ "$g_lives" = yes ] && g_say firing $g_late
g_say fired $g_late vanished
