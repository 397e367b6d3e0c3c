/**
 * Run in the guest of a template before it is saved. It may know nobody: interfaces that are up are taken down. Then
 * what the boot has left in free memory is overwritten with zeros, which need neither be kept nor checked: half of
 * the file, and half of the time to load it. Files go first to a file system of their own, which takes free pages
 * as they come; at most 192 MiB, as memory beyond what the boot has used is still zero. And the kernel's thread that waits
 * for all processors (RCU) stays on the first, so that a clone's others sleep until there is something for them to do.
 */
export const settleScript = `
cd /sys/class/net && for dev in *; do
	read -r flags <$dev/flags || continue
	[ $dev = lo ] || [ $((flags & 1)) = 0 ] || ip link set $dev down
done
sync
echo 3 >/proc/sys/vm/drop_caches
while read -r name kib unit; do [ $name = MemFree: ] && free=$kib; done </proc/meminfo
count=$(((free - 6144) / 1024))
[ $count -gt 192 ] && count=192
if [ $count -gt 0 ] && mkdir /tmp/zeros && mount -t tmpfs -o size=100% zeros /tmp/zeros; then
	dd if=/dev/zero of=/tmp/zeros/all bs=256k count=$((count * 4)) 2>/dev/null
	umount /tmp/zeros
	rmdir /tmp/zeros
fi
for pid in $(pidof rcu_preempt rcu_sched); do taskset -p 1 $pid >/dev/null; done
sleep 0.3
`
