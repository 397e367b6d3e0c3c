import type { Clock } from '../base/index.ts'
import type { NodePlan } from '../plan/index.ts'
import type { Machine, WarmUp } from '../vm/index.ts'
import { GuestChannel, type GuestSources } from './channel.ts'
import { configure } from './configure.ts'

/**
 * The warm-up of a template before it is saved: it is configured with everything that a node can have, and reset
 * again. That loads kernel modules, and makes the kernel allocate what it allocates at the first use of a feature.
 */
export function warmUp(nicCount: number, sources: WarmUpSources): WarmUp {
  return { key: 'identity 1', run: machine => runWarmUp(machine, nicCount, sources) }
}

export type WarmUpSources = GuestSources & { readonly clock: Clock }

async function runWarmUp(machine: Machine, nicCount: number, sources: WarmUpSources): Promise<void> {
  const { clock } = sources
  const channel = new GuestChannel(machine.stream, {
    name: machine.name,
    clock,
    wallClock: () => sources.wallClock(),
    randomBytes: count => sources.randomBytes(count),
  })
  await configure(channel, exampleNode(nicCount), { clone: true })
  const { status, stderr } = await machine.exec(['/bin/sh'], { input: reset, timeoutMs: 60_000 })
  if (status !== 0) throw new Error(`the warm-up of the template could not be undone: ${Buffer.from(stderr)}`)
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
rm /etc/hostname /etc/machine-id
`
