#!/usr/bin/env bash
# All tests: installs what they need, builds, runs, and ends with one line of counts.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'EOT'
Usage: ./test.sh [WHAT] [OPTIONS]

  all        everything below but 'fuzz' and 'soak' (the default)
  ci         the same without 'docker'; what .ci/run calls
  unit       unit, property and contract tests, those of the tiers against real servers
  http       the HTTP conformance suite against a server of its own
  web        OpenAPI document and pages, in a headless browser
  cli        client commands and examples against a server, and the JMeter plan with a handful of users
  crash      kill -9 and loss of power
  cluster    a whole cluster with real servers: starting and stopping it, the HTTP conformance suite through NGINX, tiers
             and nodes taken away under load, skewed clocks
  deploy     manifests, alert rules and dashboard: against types, promtool and real processes
  faults     a whole cluster with real servers and one fault after the other; what clients saw is judged by armazem-check.
             --minutes N (default 5), --seed S, --report FILE, --only WORD…, --list
  docker     the system in containers, as ./start.sh --docker starts it; says 'not run' and why where Docker cannot
  asan       unit and HTTP tests with AddressSanitizer and UndefinedBehaviorSanitizer
  tsan       unit and HTTP tests with ThreadSanitizer
  hygiene    the build with Clang, with its thread safety analysis, and clang-tidy
  simulation [--seeds N]
             our own code on simulated tiers, time and crashes: N seeds (default 100000), and the planted bugs
  fuzz [--minutes N]
             each libFuzzer target for N minutes (default 1)
  soak       200 rounds of kill -9 under 32 writers

Settings: ARMAZEM_CRASH_ROUNDS (rounds of kill -9 in 'all' and 'ci', default 15), ARMAZEM_SKIP_INSTALL=1.
EOT
}

passed=0 failed=0 skipped=0 late=0
failures=()
reports=$(mktemp)  # what failing tests said, shown again at the end, where a long log is read first

say() { printf '\n== %s\n' "$*"; }

# count NAME LOG KIND STATUS [LATE]: adds up what a runner said at its end. A runner that failed without saying how counts as
# one. With LATE, what failed has passed since.
count() {
  local name=$1 log=$2 kind=$3 status=$4 excused=${5:-} p=0 f=0 s=0
  case $kind in
    ctest)
      p=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed' "$log"); s=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped' "$log")
      f=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*(Failed|Timeout|Exception|Not Run)' "$log") ;;
    pytest)
      local line; line=$(grep -E '(passed|failed|error|skipped|no tests ran).* in [0-9.]+s' "$log" | tail -n 1)
      p=$(sed -nE 's/.*[^0-9]([0-9]+) passed.*/\1/p' <<<" $line"); f=$(sed -nE 's/.*[^0-9]([0-9]+) failed.*/\1/p' <<<" $line")
      s=$(sed -nE 's/.*[^0-9]([0-9]+) skipped.*/\1/p' <<<" $line")
      local errors; errors=$(sed -nE 's/.*[^0-9]([0-9]+) error.*/\1/p' <<<" $line"); f=$(( ${f:-0} + ${errors:-0} )) ;;
    step) [ "$status" -eq 0 ] && p=1 || f=1 ;;
  esac
  p=${p:-0} f=${f:-0} s=${s:-0}
  [ "$status" -ne 0 ] && [ "$f" -eq 0 ] && f=1
  [ "$kind" != step ] && [ $((p + f + s)) -eq 0 ] && f=1
  [ -n "$excused" ] && late=$((late + f)) p=$((p + f)) f=0
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  [ "$f" -gt 0 ] && failures+=("$name")
  return 0
}

# report NAME LOG KIND: what each failing test said, without what passed.
report() {
  printf '\n== failed in: %s\n' "$1"
  case $3 in
    ctest) awk '/^ *[0-9]+\/[0-9]+ Test / { wanted = /\*\*\*(Failed|Timeout|Exception|Not Run)/; lines = 0 }
                /^ +Start +[0-9]+: / { next } /^[0-9]+% tests passed/ { wanted = 0 }
                wanted && lines++ < 80' "$2" ;;
    pytest) sed -n '/^=\+ \(FAILURES\|ERRORS\)/,$p' "$2" | head -n 200 ;;
    *) tail -n 60 "$2" ;;
  esac
}

# A machine without a free core can make a test too late that is otherwise right: what failed is run once more, by itself,
# and the last lines say what needed it. What says that data was lost or that a sanitizer found something, and what is decided
# by a seed, fails at once.
may_try_again() {  # may_try_again KIND LOG
  [ "$1" != step ] && ! grep -qE 'violation|acknowledged|Sanitizer:|runtime error:|broken invariant|(Property|Linearizability|power_loss).*\*\*\*' "$2"
}
second_attempt() {  # second_attempt NAME KIND COMMAND…
  local name=$1 kind=$2 log status; shift 2
  log=$(mktemp)
  say "$name: what failed, once more"
  case $kind in
    ctest) "$@" --rerun-failed 2>&1 | tee "$log" ;;
    pytest) "$@" --last-failed --last-failed-no-failures none 2>&1 | tee "$log" ;;
  esac
  status=${PIPESTATUS[0]}
  [ "$status" -eq 0 ] || report "$name, once more" "$log" "$kind" >>"$reports"
  rm -f "$log"
  return "$status"
}

run() {  # run NAME KIND COMMAND…
  local name=$1 kind=$2 log status; shift 2
  log=$(mktemp)
  say "$name"
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  local excused=""
  [ "$status" -eq 0 ] || report "$name" "$log" "$kind" >>"$reports"
  if [ "$status" -ne 0 ] && may_try_again "$kind" "$log" && second_attempt "$name" "$kind" "$@"; then excused=1 status=0; fi
  count "$name" "$log" "$kind" "$status" "$excused"
  rm -f "$log"
  return "$status"
}

build() {  # build PRESET: quiet unless it fails
  local preset=$1 log; shift
  log=$(mktemp)
  say "build ($preset)"
  if cmake --preset "$preset" "$@" >"$log" 2>&1 && cmake --build --preset "$preset" >>"$log" 2>&1; then
    tail -n 1 "$log"; rm -f "$log"
  else
    tail -n 60 "$log"; rm -f "$log"; failed=$((failed + 1)); failures+=("build ($preset)"); finish
  fi
}

# A whole cluster for several stages, with real servers; its tiers serve the contract tests too.
start_cluster() {
  say "a cluster for the tests"
  cluster_directory=$(mktemp -d)
  trap stop_cluster EXIT
  local variables
  variables=$(/usr/bin/python3 tests/support/whole_cluster.py start "$cluster_directory") || {
    failed=$((failed + 1)); failures+=("starting a cluster"); finish; }
  eval "$variables"
  echo "$ARMAZEM_CLUSTER_URL"
}
stop_cluster() {
  [ -n "${cluster_directory:-}" ] || return 0
  /usr/bin/python3 tests/support/whole_cluster.py stop "$cluster_directory"
  rm -rf "$cluster_directory"
  cluster_directory=""
}

unit() { run "unit, property and contract tests ($1)" ctest ctest --test-dir "build/$1" --output-on-failure -j 2 "${@:2}"; }
python_tests() { run "$1" pytest env ARMAZEM_BIN="$PWD/build/$2/bin/armazem" PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -c tests/pytest.ini "${@:3}"; }

sanitized() {  # sanitized PRESET: fewer random sequences, longer deadlines
  build "$1"
  export ARMAZEM_SLOW=1 ARMAZEM_PROPERTY_SEQUENCES=20000
  export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/tests/tsan.supp" ASAN_OPTIONS="detect_leaks=1" UBSAN_OPTIONS="print_stacktrace=1"
  # The distribution's RocksDB is not instrumented: under ThreadSanitizer only what is ours is worth a run.
  if [ "$1" = tsan ]; then unit tsan -L 'unit|property'; else unit "$1" -LE 'crash|cluster'; fi
  python_tests "HTTP conformance ($1)" "$1" tests/http
  # One thread, so ThreadSanitizer has nothing to find; its arena takes the place of the allocator that is watched.
  [ "$1" = tsan ] || run "simulation of 2000 seeds ($1)" step env ASAN_OPTIONS=alloc_dealloc_mismatch=0:detect_leaks=0 \
    "build/$1/bin/simulation" --seeds 2000 --no-progress
  unset ARMAZEM_SLOW ARMAZEM_PROPERTY_SEQUENCES
}

finish() {
  cat "$reports"; rm -f "$reports"
  echo
  [ ${#failures[@]} -gt 0 ] && printf 'failed in: %s\n' "${failures[@]}"
  [ "$late" -gt 0 ] && echo "$late of those that passed did so only when run once more, by themselves"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

what=${1:-all}
case $what in
  -h|--help) usage; exit 0 ;;
  all|ci|unit|http|web|cli|crash|cluster|deploy|faults|docker) ;;
  asan|tsan|hygiene|simulation|fuzz|soak) ;;
  *) usage >&2; exit 2 ;;
esac

. scripts/packages.sh
need_packages build test || exit 1
case $what in all|ci|unit|cluster|deploy|faults|asan) need_packages cluster || exit 1 ;; esac
case $what in all|ci|deploy) need_packages deploy || exit 1 ;; esac
case $what in all|ci|faults) need_packages faults || exit 1 ;; esac
# Without Docker its tests say that they were not run, and why.
case $what in all|docker) need_packages docker || echo "the system in containers cannot be tried" ;; esac
# Without JMeter's Java and Maven its tests say that they were not run, and why.
case $what in all|ci|cli) need_packages load || echo "the JMeter plan cannot be tried" ;; esac

cli_tests() {
  python_tests "client commands" release tests/cli
  python_tests "the examples" release tests/examples
  python_tests "the JMeter plan" release tests/load
}

cluster_tests() {
  python_tests "the cluster's servers" release tests/cluster
  run "HTTP conformance through NGINX, on the cluster" pytest env ARMAZEM_URL="$ARMAZEM_CLUSTER_URL" ARMAZEM_URL_VIA_PROXY=1 \
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -c tests/pytest.ini tests/http
  python_tests "the cluster under faults" release tests/e2e
}

hygiene() {
  build clang
  run "clang-tidy" step python3 tests/hygiene/tidy.py build/clang
}

# whole_number OPTION VALUE
whole_number() { [[ $2 =~ ^[0-9]+$ ]] || { echo "test.sh: $1 needs a whole number" >&2; exit 2; }; }

# fuzz [--minutes N]
fuzz() {
  local minutes=1
  case ${1:-} in
    "") ;;
    --minutes) minutes=${2:-}; whole_number "$1" "$minutes" ;;
    *) usage >&2; exit 2 ;;
  esac
  run "fuzzing, $minutes min each" step env ARMAZEM_FUZZ_SECONDS=$((minutes * 60)) tests/fuzz/run.sh
}

# simulation [--seeds N]
simulation() {
  local seeds=100000
  case ${1:-} in
    "") ;;
    --seeds) seeds=${2:-}; whole_number "$1" "$seeds" ;;
    *) usage >&2; exit 2 ;;
  esac
  run "simulation of $seeds seeds" step build/release/bin/simulation --seeds "$seeds" --jobs 2
  build planted
  run "planted bugs" step build/planted/bin/simulation --planted-bugs tests/simulation/planted_bugs.txt --jobs 2
  run "no planted bugs in what users run" step python3 tests/simulation/no_planted_bugs.py
}

faults() {
  python_tests "checker and fault campaign" release tests/checker tests/faults
  run "faults on a whole cluster" step env ARMAZEM_BIN="$PWD/build/release/bin/armazem" PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/python3 tests/faults/campaign.py "$@"
}

case $what in
  simulation) build release; simulation "${@:2}" ;;
  unit) build release; start_cluster; unit release ;;
  http) build release; python_tests "HTTP conformance" release tests/http ;;
  web) build release; python_tests "documents and pages" release tests/web ;;
  cli) build release; cli_tests ;;
  crash) build release; unit release -L crash; python_tests "kill -9" release tests/crash ;;
  cluster) build release; start_cluster; cluster_tests ;;
  deploy) build release; start_cluster; python_tests "deployment" release tests/deploy ;;
  docker) build release; python_tests "the system in containers" release tests/docker ;;
  faults) build release; faults "${@:2}" ;;
  asan) build release; start_cluster; sanitized asan ;;
  tsan) sanitized tsan ;;
  hygiene) hygiene ;;
  fuzz) fuzz "${@:2}" ;;
  soak) build release; run "kill -9, 200 rounds" step /usr/bin/python3 tests/crash/test_kill9.py --rounds 200 --writers 32 ;;
  all|ci)
    build release -DARMAZEM_WERROR=ON
    hygiene
    simulation
    start_cluster
    unit release
    python_tests "HTTP conformance" release tests/http
    python_tests "documents and pages" release tests/web
    cli_tests
    python_tests "kill -9" release tests/crash
    cluster_tests
    python_tests "deployment" release tests/deploy
    sanitized asan
    stop_cluster
    [ "$what" = ci ] || python_tests "the system in containers" release tests/docker
    faults --minutes 5 --rate 300
    sanitized tsan ;;
esac
finish
