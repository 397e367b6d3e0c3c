import { type Clock, printable } from '../base/index.ts'
import type { NodePlan } from '../plan/index.ts'
import type { Machine, WarmUp } from '../vm/index.ts'
import { GuestChannel, type GuestSources } from './channel.ts'
import { configure } from './configure.ts'

/**
 * The warm-up of a template before it is saved: it is configured with everything that a node can have, and reset
 * again. That loads kernel modules, and makes the kernel allocate what it allocates at the first use of a feature. Files
 * stay, empty: a clone that makes a file runs a thousand blocks of code more than one that fills it. `ownInit`: the first
 * process is that of a user's root, which is waited for.
 */
export function warmUp(
  nicCount: number,
  sources: WarmUpSources,
  { ownInit = false }: { readonly ownInit?: boolean } = {},
): WarmUp {
  const run = async (machine: Machine) => {
    if (ownInit) await machine.exec(['/bin/sh'], { input: untilBooted, timeoutMs: 90_000 })
    await runWarmUp(machine, nicCount, sources)
  }
  return { key: 'identity 4', run }
}

export type WarmUpSources = GuestSources & { readonly clock: Clock }

async function runWarmUp(machine: Machine, nicCount: number, sources: WarmUpSources): Promise<void> {
  const channel = templateChannel(machine, sources)
  await configure(channel, exampleNode(nicCount), { clone: true, scripts: false })
  const { status, stderr } = await machine.exec(['/bin/sh'], { input: reset, timeoutMs: 60_000 })
  if (status !== 0)
    throw new Error(
      `the warm-up of the template could not be undone: ${printable(Buffer.from(stderr).toString(), 500)}`,
    )
}

/** The channel to the guest of a template. */
export function templateChannel(machine: Machine, sources: WarmUpSources): GuestChannel {
  const channel = new GuestChannel(machine.stream, {
    name: machine.name,
    clock: sources.clock,
    wallClock: () => sources.wallClock(),
    randomBytes: count => sources.randomBytes(count),
  })
  void machine.died.then(() => channel.end('its VM has ended'))
  return channel
}

/** Its addresses are from the networks for documentation (RFC 5737, RFC 3849), which a clone never has. */
function exampleNode(nicCount: number): Pick<NodePlan, 'name' | 'nets' | 'setup' | 'append'> {
  const nets = Array.from({ length: nicCount }, (_, net) => ({
    net,
    dev: `eth${net}`,
    tap: '',
    mac: `00:00:00:01:${net.toString(16).padStart(2, '0')}:00`,
    ipv4: `198.51.100.${net * 4 + 1}`,
    ipv6: `2001:db8::${net}01`,
  }))
  const { dev, net } = nets.at(-1)!
  const hops = [2, 3].map(last => ({ dev, ipv4: `198.51.100.25${last}`, ipv6: `2001:db8::${net}f${last}` }))
  const subnet = { ipv4: '198.51.100.0/24', ipv6: '2001:db8::/120' }
  const setup = {
    forwarding: true,
    routes: [{ to: 'default' as const, hops }],
    rules: [],
    masquerade: [subnet],
  }
  return { name: 'example', nets, setup: { ...setup, bridges: [] }, append: '' }
}

/** The agent answers before the root's own init has started all it starts. Of those, systemd can be asked. */
const untilBooted = `
command -v systemctl >/dev/null || exit 0
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
	case $(systemctl is-system-running 2>/dev/null) in running | degraded | maintenance) exit 0 ;; esac
	sleep 2
done
`

const reset = `
set -e
nft delete table inet xcluster
for dev in /sys/class/net/eth*; do
	dev=\${dev##*/}
	ip link set $dev down
	ip address flush dev $dev
done
for name in ipv4/ip_forward ipv6/conf/all/forwarding ipv4/fib_multipath_hash_policy ipv6/fib_multipath_hash_policy; do
	echo 0 >/proc/sys/net/$name
done
echo '(none)' >/proc/sys/kernel/hostname
: >/etc/hostname
: >/etc/machine-id
`
