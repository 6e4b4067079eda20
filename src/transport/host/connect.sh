# shellcheck shell=sh disable=SC2154,SC2016
# Connects from this host to $h:$p within $w whole seconds, by the first tool that is here, and then passes bytes
# between the connection and stdin and stdout. Says one line first, behind the nonce $n:
#   open TOOL | closed TOOL WHY | none
LC_ALL=C; export LC_ALL
unset BASH_ENV
try() { # in the background, so that its time can be limited; sets r and e
  e=$( ( "$@" >/dev/null & c=$!; ( sleep "$w"; kill "$c" ) >/dev/null 2>&1 & s=$!
    wait "$c"; r=$?; kill "$s"; exit "$r" ) 2>&1 ); r=$?
}
closed() { # TOOL
  case $r in 143|137|15|9) e="no answer within $w s";; esac
  e=$(printf '%s' "$e" | tail -n 1); printf '%s closed %s %s\n' "$n" "$1" "${e##*: }"; exit 0
}
# Without its settings, which a bash that sshd started reads each time: what those print is not the port's.
if command -v bash >/dev/null 2>&1; then
  try bash --noprofile --norc -c 'exec 3<>"/dev/tcp/$0/$1"' "$h" "$p"
  case $r:$e in
  0:*) printf '%s open bash\n' "$n"
    exec bash --noprofile --norc -c 'exec 3<>"/dev/tcp/$0/$1" 4<&0 || exit 1
      cat <&3 & r=$!
      { cat <&4 >&3; kill $r; } 2>/dev/null & w=$!
      wait $r; kill $w 2>/dev/null' "$h" "$p";;
  *:*'No such file or directory'*) ;;
  *) closed bash;;
  esac
fi
if python3 -c "" >/dev/null 2>&1; then
  exec python3 -c '
import os, select, socket, sys
n, h, p, w = sys.argv[1:]
try:
    s = socket.create_connection((h, int(p)), int(w))
except socket.timeout:
    print(n, "closed python3 no answer within", w, "s"); sys.exit()
except OSError as why:
    print(n, "closed python3", why.strerror or why); sys.exit()
s.settimeout(None)
os.write(1, (n + " open python3\n").encode())
while True:
    for f in select.select([0, s], [], [])[0]:
        b = s.recv(65536) if f is s else os.read(0, 65536)
        if not b: sys.exit()
        if f is s: os.write(1, b)
        else: s.sendall(b)
' "$n" "$h" "$p" "$w"
fi
o=$(nc -h 2>&1)
case $o in *-w*-z*) 
  try nc -z -w "$w" "$h" "$p"
  case $r:$e in
  0:*) printf '%s open nc\n' "$n"; exec nc "$h" "$p";;
  *:*sage:*) ;;
  *) closed nc;;
  esac;;
esac
printf '%s none\n' "$n"
