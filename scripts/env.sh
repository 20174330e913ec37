# Sourced by the other scripts: where the checkout and the caches are, and how to build a preset.
# shellcheck shell=bash
HEADGATE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything that is expensive to make and does not belong to one checkout (helm, Pebble, web frameworks, Kubernetes binaries).
HEADGATE_CACHE=${HEADGATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headgate}
export HEADGATE_ROOT HEADGATE_CACHE
# Paths relative to the checkout make ccache hits good for every clone of it.
export CCACHE_BASEDIR=$HEADGATE_ROOT CCACHE_NOHASHDIR=1
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(nproc)}

export NINJA_STATUS='[%f/%t] '

# build PRESET [TARGET...]: configure if need be, then build; shows a line of progress, all of it on failure.
build() {
  local preset=$1 log
  shift
  local dir=$HEADGATE_ROOT/build/$preset
  log=$dir/build.log
  mkdir -p "$dir"
  if ! (cd "$HEADGATE_ROOT" && cmake --preset "$preset") > "$log" 2>&1; then
    cat "$log" >&2
    return 1
  fi
  local targets=()
  [ $# -eq 0 ] || targets=(--target "$@")
  cmake --build "$dir" "${targets[@]}" 2>&1 | tee "$log" | progress "build $preset"
  if [ "${PIPESTATUS[0]}" -eq 0 ]; then
    printf '%s: done\n' "build $preset"
  else
    grep -v '^\[[0-9]*/[0-9]*\] \(Building\|Linking\|Generating\|Running\)' "$log" | tail -n 120 >&2
    printf '%s: failed; the whole log is in %s\n' "build $preset" "$log" >&2
    return 1
  fi
}

# Condenses the output of ninja and ctest to a counter: in place on a terminal, every 15 seconds elsewhere. With
# a second argument, lines that are neither a step nor a test that passed are shown.
progress() {
  local label=$1 rest=${2:-} line last=$SECONDS tty='' count
  [ -t 1 ] && tty=yes
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+/[0-9]+)\] || $line =~ ^\ *([0-9]+/[0-9]+)\ Test.*\ Passed\ +[0-9.]+\ sec ]]; then
      count=${BASH_REMATCH[1]}
    elif [ -n "$rest" ] && ! [[ $line =~ ^(\ +Start\ +[0-9]+:|Internal ctest changing|Test project) ]]; then
      printf "${tty:+\r\033[K}%s\n" "$line"
      continue
    else
      continue
    fi
    if [ -n "$tty" ]; then
      printf '\r%s: %s\033[K' "$label" "$count"
    elif [ $((SECONDS - last)) -ge 15 ]; then
      printf '%s: %s\n' "$label" "$count"
      last=$SECONDS
    fi
  done
  [ -z "$tty" ] || printf '\r\033[K'
}
