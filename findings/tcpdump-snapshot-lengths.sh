#!/bin/sh
# tcpdump 4.99.3 with libpcap 1.10.3 (Debian 4.99.3-1, 1.10.3-1): a pcapng file whose interfaces have different snapshot
# lengths is not read.
#
# Expected: the packets of both interfaces. Each interface description block has a snapshot length of its own
# (draft-ietf-opsawg-pcapng, section 4.2), and wireshark writes and reads such files when links were captured with
# different lengths.
# What happens: tcpdump stops at the description of the second interface, before the first packet. The API of libpcap has
# one snapshot length for a file (sf-pcapng.c, add_interface).
#
# Downloads tcpdump and libpcap from Debian into a temporary directory. Needs apt and dpkg. Status 0: it still is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q tcpdump=4.99.3-1 libpcap0.8=1.10.3-1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH="$folder/root/usr/lib/x86_64-linux-gnu"

# A section, two interfaces of Ethernet with these snapshot lengths (each two bytes in octal), and a frame of each.
interface() { printf '\001\0\0\0\024\0\0\0\001\0\0\0'"$1"'\0\0\024\0\0\0'; }
frame() {
  printf '\006\0\0\0\060\0\0\0\'"$1"'\0\0\0\0\0\0\0\0\0\0\0\016\0\0\0\016\0\0\0'
  printf '\377\377\377\377\377\377\002\0\0\0\0\001\210\265\0\0\060\0\0\0'
}
file() {
  printf '\012\015\015\012\034\0\0\0\115\074\053\032\001\0\0\0\377\377\377\377\377\377\377\377\034\0\0\0'
  interface "$1"
  interface "$2"
  frame 000
  frame 001
}
# Prints how many packets tcpdump shows.
shown() { "$folder/root/usr/bin/tcpdump" -n -r "$1" 2>>answers | wc -l; }

file '\0\001' '\0\001' >same.pcapng
file '\0\001' '\200\0' >different.pcapng
same=$(shown same.pcapng)
different=$(shown different.pcapng)
echo "of two packets tcpdump shows $same with snapshot lengths 256 and 256, and $different with 256 and 128"
grep -i 'snapshot length .* different' answers | head -1
[ "$same" = 2 ] && [ "$different" = 0 ]
