#!/usr/bin/env bash
# Runs Apache JMeter with the arguments given: load/jmeter.sh -n -t load/armazem.jmx -l results.jtl
#
# The first time it is fetched from Maven Central (70 MB; checksums are verified) into $JMETER_HOME, by default a folder of
# the user's cache. Needs Java and Maven: load/run.sh installs them.
#   load/jmeter.sh --install   fetches it, and says where it is
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's:.*<jmeter.version>\(.*\)</jmeter.version>.*:\1:p' "$here/pom.xml")
home=${JMETER_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/armazem/jmeter-$version}

# JMeter finds its own parts by their places: bin/ApacheJMeter.jar, lib/ext for its own jars, lib for the others.
install_jmeter() {
  local new jar
  mkdir -p "$(dirname "$home")"
  new=$(mktemp -d "$home.new-XXXXXX")
  # shellcheck disable=SC2064  # the path is meant as it is now
  trap "rm -rf '$new'" EXIT
  echo "Fetching Apache JMeter $version from Maven Central …" >&2
  if ! mvn --batch-mode --quiet --strict-checksums -f "$here/pom.xml" dependency:copy-dependencies \
      -DoutputDirectory="$new/lib" -DincludeScope=runtime >"$new/maven.log" 2>&1; then
    tail -n 15 "$new/maven.log" >&2
    echo "load: JMeter cannot be fetched from Maven Central; see above. Where it is installed already, set JMETER_HOME." >&2
    return 1
  fi
  mkdir -p "$new/lib/ext" "$new/lib/junit"  # it complains when the second one is not there
  python3 -c 'import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
archive.extractall(sys.argv[2], [name for name in archive.namelist() if name.startswith("bin/")])' \
    "$new/lib/ApacheJMeter_config-$version.jar" "$new"
  for jar in "$new"/lib/ApacheJMeter*.jar; do mv "$jar" "$new/lib/ext/"; done
  # Its logging library warns at each start about the way it is configured.
  sed -i 's/ status="[A-Z]*"/ status="ERROR"/' "$new/bin/log4j2.xml"
  mv "$new/lib/ext/ApacheJMeter-$version.jar" "$new/bin/ApacheJMeter.jar"
  # Two at once: the one that is second keeps what the first has put there.
  if [ ! -e "$home" ]; then mv -T "$new" "$home" 2>/dev/null || [ -e "$home" ]; fi
}

[ -f "$home/bin/ApacheJMeter.jar" ] || install_jmeter
if [ "${1:-}" = --install ]; then
  echo "$home"
  exit 0
fi
# shellcheck disable=SC2086  # several options in one variable
exec java ${JVM_ARGS:--Xms256m -Xmx1g} -Djava.awt.headless=true -jar "$home/bin/ApacheJMeter.jar" "$@"
