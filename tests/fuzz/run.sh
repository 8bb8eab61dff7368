#!/bin/sh
# Runs every fuzz target, one after the other: tests/fuzz/run.sh [target…]
#
#   ARMAZEM_FUZZ_SECONDS   for each target (60)
#
# What the fuzzer finds interesting gathers in build/fuzz/corpus, what breaks a target in build/fuzz/artifacts. To see a
# finding again: build/fuzz/bin/fuzz_request build/fuzz/artifacts/fuzz_request/crash-…
set -eu
cd "$(dirname "$0")/../.."
seconds=${ARMAZEM_FUZZ_SECONDS:-60}
[ $# -gt 0 ] || set -- fuzz_batch_body fuzz_fields fuzz_key fuzz_list fuzz_message fuzz_put_body fuzz_record_codec fuzz_redis fuzz_request fuzz_settings fuzz_urls

cmake --preset fuzz > /dev/null
cmake --build --preset fuzz --target fuzz_targets

failed=0
for target in "$@"; do
  corpus=build/fuzz/corpus/$target artifacts=build/fuzz/artifacts/$target log=build/fuzz/$target.log
  dictionary=tests/fuzz/$target.dict
  mkdir -p "$corpus" "$artifacts"
  set -- -max_total_time="$seconds" -max_len=20000 -timeout=10 -print_final_stats=1 -artifact_prefix="$artifacts/"
  [ ! -f "$dictionary" ] || set -- "$@" -dict="$dictionary"
  status=0
  build/fuzz/bin/"$target" "$@" "$corpus" "tests/fuzz/corpus/$target" > "$log" 2>&1 || status=$?
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$status" -eq 0 ]; then
    echo "$target: ${executed:-?} executions in $seconds s, no finding"
  else
    failed=1
    echo "$target: FINDING after ${executed:-?} executions (exit code $status); see $log and $artifacts/"
    tail -n 40 "$log"
  fi
done
exit "$failed"
