# Checks a run directory of blackstart: sh audit.sh RUN_DIRECTORY
# Each line ends with its hash: SHA-256 of the hash before it and of the line up to `,"hash":`.
prev=$(sha256sum <"$1/plan.json" | cut -c1-64)
while IFS= read -r line; do
    body=${line%,\"hash\":*}
    prev=$(printf '%s%s' "$prev" "$body" | sha256sum | cut -c1-64)
    [ "$line" = "$body,\"hash\":\"$prev\"}" ] || { printf 'broken: %s\n' "$line"; exit 1; }
done <"$1/journal.jsonl"
printf 'head: %s\n' "$prev"
