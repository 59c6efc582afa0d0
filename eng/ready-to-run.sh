# Sourced by run.sh, test.sh and scripts in bench/ after eng/prepare.sh.

# ready_to_run: replaces the assemblies in the output folders of the services and of the AppHost by precompiled ones (ReadyToRun), so that a
# started system does not spend its first seconds in the JIT compiler. Compiled assemblies are cached in artifacts/ by their hash, so this takes
# half a minute on a new machine and nothing afterwards. Where the compiler's package is unavailable, the system only starts more slowly.
crossgen_version=10.0.12

framework() { dotnet --list-runtimes | sed -n "s|^$1 \(10\.[^ ]*\) \[\(.*\)\]|\2/\1|p" | tail -n 1; }

ready_to_run() {
  local package crossgen cache probe core aspnet
  [ "${READY_TO_RUN:-true}" = true ] || return 0
  case $(uname -sm) in
    "Linux x86_64") package=microsoft.netcore.app.crossgen2.linux-x64 ;;
    "Linux aarch64") package=microsoft.netcore.app.crossgen2.linux-arm64 ;;
    *) return 0 ;;
  esac
  crossgen=${NUGET_PACKAGES:-$HOME/.nuget/packages}/$package/$crossgen_version/tools/crossgen2
  if [ ! -f "$crossgen" ]; then
    probe=$(mktemp -d)
    printf '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup><PackageDownload Include="%s" Version="[%s]" /></ItemGroup></Project>' \
      "$package" "$crossgen_version" >"$probe/probe.csproj"
    dotnet restore "$probe/probe.csproj" -v q >/dev/null 2>&1 || say "Continuing without precompiled assemblies: no package source here has $package $crossgen_version."
    rm -rf "$probe"
    [ -f "$crossgen" ] || return 0
  fi
  chmod u+x "$crossgen"

  cache=$root/artifacts/ready-to-run
  mkdir -p "$cache"
  core=$(framework Microsoft.NETCore.App) aspnet=$(framework Microsoft.AspNetCore.App)
  # A file with several hard links has already been replaced: MSBuild deletes a file before it writes it. Assemblies that only design-time tools
  # load are skipped.
  local files
  mapfile -t files < <(find "$root"/services/*/bin/Release/net10.0 "$root/OrderInventory.AppHost/bin/Release/net10.0" -maxdepth 1 -name '*.dll' -links 1 \
    ! -name 'Microsoft.CodeAnalysis*' ! -name 'Microsoft.Build*' ! -name 'Newtonsoft*' ! -name 'Humanizer*' ! -name 'System.Composition*' \
    ! -name 'Mono.TextTemplating*' ! -name 'System.CodeDom*' ! -name '*.Design.dll' ! -name 'Microsoft.VisualStudio*')
  [ "${#files[@]}" != 0 ] || return 0
  local hashes missing
  hashes=$(sha256sum "${files[@]}")
  missing=$(while read -r hash file; do [ -e "$cache/$hash" ] || echo "$hash $file"; done <<<"$hashes" | sort -u -k1,1)
  if [ -n "$missing" ]; then
    say "Compiling $(wc -l <<<"$missing") assemblies ahead of time ..."
    export cache crossgen core aspnet
    tr '\n' '\0' <<<"$missing" | xargs -0 -P 2 -n 1 bash -c '
      read -r hash file <<<"$0"
      [ -n "$hash" ] || exit 0
      out=$cache/$hash.tmp
      if "$crossgen" "$file" -o "$out" --targetos linux -O -r "$core/*.dll" -r "$aspnet/*.dll" -r "$(dirname "$file")/*.dll" >/dev/null 2>&1; then
        mv "$out" "$cache/$hash"
        # Also under its own hash: a precompiled assembly that is found in an output folder needs no compilation.
        ln -f "$cache/$hash" "$cache/$(sha256sum "$cache/$hash" | cut -d" " -f1)"
      else
        # Already precompiled by its vendor, or it cannot be compiled: it is kept unchanged.
        cp "$file" "$out" && mv "$out" "$cache/$hash"
      fi'
  fi
  while read -r hash file; do
    # A hard link to one file for all services, so that they share its memory pages.
    ln -f "$cache/$hash" "$file" 2>/dev/null || cp "$cache/$hash" "$file"
  done <<<"$hashes"
}
