import { ipv4Length, ipv6Length } from './addressing.ts'
import type { NodePlan } from './plan-types.ts'

/**
 * What a guest that woke up from a template is told before all else, for `/bin/sh`: what one that boots finds out
 * by itself from its MAC and its kernel's command line.
 */
export function wakeScript({ name, nets, append }: NodePlan, now: number): string {
  const words = new Map(
    append.split(' ').map(word => [word.split('=')[0], word.slice(word.indexOf('=') + 1)]),
  )
  const prefix = words.get('xcluster_PREFIX')
  const own = nets.find(({ net }) => net === 0)
  const links = nets.map(({ net, dev, mac }) => {
    const mtu = words.get(`mtu${net}`)
    return `link set ${dev} address ${mac} ${mtu ? `mtu ${mtu} ` : ''}up`
  })
  const addresses = own
    ? [
        `address add ${own.ipv4}/${ipv4Length} broadcast + dev ${own.dev}`,
        `address add ${own.ipv6}/${ipv6Length} dev ${own.dev} nodad`,
      ]
    : []
  return [
    `date -s @${Math.floor(now / 1000)} >/dev/null`,
    `echo ${name} >/proc/sys/kernel/hostname; echo ${name} >/etc/hostname`,
    'read -r id </proc/sys/kernel/random/uuid; echo $id | tr -d - >/etc/machine-id',
    ...(prefix ? [`sed -i "s/^fd00:/${prefix}/" /etc/hosts`] : []),
    "/sbin/ip -batch - <<'END'",
    'address flush dev eth0',
    ...links,
    ...addresses,
    'END',
    '',
  ].join('\n')
}
