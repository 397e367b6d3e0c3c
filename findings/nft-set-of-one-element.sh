#!/bin/sh
# nftables 1.0.6 (Debian 1.0.6-2+deb12u2) on Linux 6.18: a set with timeouts, a size and `policy memory` holds one element.
#
# Expected: a set of at most 10 addresses takes a second, different one (nft(8): `size` is the maximum number of elements,
# `policy` chooses between speed and memory). Without one of the three it does, and with `policy performance` too.
# What happens: the kernel refuses the second element with EEXIST, "File exists", for addresses, ports and Ethernet
# addresses alike. Seen on Linux 6.18.44; the choice of the set's form is made in net/netfilter/nf_tables_api.c,
# nft_select_set_ops.
#
# Downloads nft and its libraries from Debian into a temporary directory and runs them in network namespaces of their own.
# Needs root, apt, dpkg and unshare. Status 0: it still is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11 libmnl0 libjansson4 libxtables12 \
  libedit2 libbsd0 libmd0 libgmp10 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH="$folder/root/usr/lib/x86_64-linux-gnu:$folder/root/lib/x86_64-linux-gnu"
nft="$folder/root/usr/sbin/nft"

# Prints how many of two elements a set with these properties takes.
taken() {
  unshare -n sh -c '
    "$0" add table ip t
    "$0" add set ip t s "{ type $1; $2 }"
    taken=0
    for element in $3 $4; do "$0" add element ip t s "{ $element }" 2>>answers && taken=$((taken + 1)); done
    echo "$taken"' "$nft" "$@"
}

plain=$(taken ipv4_addr 'timeout 1h; size 10;' 192.0.2.1 192.0.2.2)
speed=$(taken ipv4_addr 'timeout 1h; size 10; policy performance;' 192.0.2.1 192.0.2.2)
memory=$(taken ipv4_addr 'timeout 1h; size 10; policy memory;' 192.0.2.1 192.0.2.2)
ports=$(taken inet_service 'timeout 1h; size 10; policy memory;' 80 443)
echo "Linux $(uname -r): of two elements a set takes $plain, with policy performance $speed, with policy memory $memory"
echo "of two ports with policy memory: $ports; the kernel said: $(grep -o 'File exists' answers | sort | uniq -c | xargs)"
[ "$plain" = 2 ] && [ "$speed" = 2 ] && [ "$memory" = 1 ] && [ "$ports" = 1 ]
