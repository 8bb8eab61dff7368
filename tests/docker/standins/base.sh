#!/usr/bin/env bash
# base.sh TAG: an image of Debian 12 in the place of debian:bookworm-slim, by debootstrap and with this machine's own
# sources for apt, so that it also works where no image registry answers. Needs root.
set -euo pipefail
tag=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

mirror=$(apt-get indextargets --format '$(SITE) $(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | awk '{ print $2; exit }')
[ -n "$mirror" ] || { echo "apt knows no source for Debian 12 (bookworm)" >&2; exit 1; }
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }

# What apt needs to reach the same sources as here, and what https needs to trust the same authorities.
rm -f "$root/etc/apt/sources.list"
[ ! -s /etc/apt/sources.list ] || cp /etc/apt/sources.list "$root/etc/apt/"
grep -ls 'debian\.\|/debian' /etc/apt/sources.list.d/*.sources | xargs -r cp -t "$root/etc/apt/sources.list.d/"
for file in $(grep -lis 'Acquire::' /etc/apt/apt.conf.d/*); do cp "$file" "$root/etc/apt/apt.conf.d/"; done
if cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null; then
  chroot "$root" update-ca-certificates >/dev/null 2>&1
fi

# As the public image: no services, no documents, no other languages, no package files.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
printf 'force-unsafe-io\npath-exclude /usr/share/doc/*\npath-include /usr/share/doc/*/copyright\npath-exclude /usr/share/man/*\npath-exclude /usr/share/locale/*\n' \
  >"$root/etc/dpkg/dpkg.cfg.d/slim"
find "$root/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/usr/share/info/* "$root"/var/lib/apt/lists/* \
  "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/apt/*.bin "$root"/var/log/*.log
: >"$root/etc/hostname"
tar -C "$root" --numeric-owner -c . | docker import -c 'CMD ["bash"]' - "$tag" >/dev/null
