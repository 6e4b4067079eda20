# shellcheck shell=bash
# Checks that are counted, for `tests/all` and `tests/soak`: a failed one does not keep the rest from telling what they
# know, and the last line says how many there were, as test runners do. To be sourced.
PATH=$PATH:/usr/sbin:/sbin:${CARGO_HOME:-$HOME/.cargo}/bin
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
passed=0 failed=0
log=target/test-output
mkdir -p target

heading() { printf '\n== %s\n' "$*"; }
# A check that passes or fails as a whole.
check() {
  local what=$1
  shift
  heading "$what"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$what"
  fi
}
# Runs tests and adds up what the runner's closing lines say; a runner that failed without a failed test counts as one.
count() {
  local what=$1 status=0 good=0 bad=0
  shift
  heading "$what"
  "$@" 2>&1 | tee "$log" || status=1
  # nextest: `Summary [ 1.2s] 10 tests run: 7 passed (1 slow), 1 failed, 2 timed out, 5 skipped`
  # rustdoc: `test result: ok. 3 passed; 0 failed; 0 ignored; …`
  read -r good bad < <(perl -ne '
    next unless /^\s*Summary .* tests? run: |^test result: /;
    $good += $1 while /(\d+) passed/g;
    $bad += $1 while /(\d+) (?:failed|timed out|exec failed)/g;
    END { printf "%d %d\n", $good, $bad }' "$log")
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  rm -f "$log"
}
# The labs of tests/it/lab/mod.rs.
take_labs_down() { tests/lab/down target/tmp/lab-1 && tests/lab/down target/tmp/lab-2; }
# The last line, and the exit status: 0 if none failed.
closing_line() {
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}
