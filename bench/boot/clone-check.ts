import type { Cluster } from '../../src/cluster/index.ts'

/** Values that must differ between any two guests, and that each must have. */
const question = [
  'cat /etc/machine-id /proc/sys/kernel/random/uuid',
  'head -c 16 /dev/urandom | hexdump -v -e \'1/1 "%02x"\'; echo',
  'cat /proc/sys/kernel/hostname',
  'date +%s',
  'echo $(cat /sys/class/net/eth*/address)',
].join('\n')

/** How far a guest's clock may be off, in seconds. It is read in whole seconds. */
const clockTolerance = 2

/**
 * Asks every node for its identity and returns what is wrong. `seen` has the random values of all nodes asked
 * so far.
 */
export async function checkClones(cluster: Cluster, seen: Set<string>): Promise<string[]> {
  const status = cluster.status()
  const answers = await Promise.all(
    status.nodes.map(async ({ id, name, state, nets }) => {
      if (state !== 'ready') return [`${name} is ${state}`]
      const askedAt = Date.now()
      const result = await cluster.exec(id, question, { timeoutMs: 30_000 })
      const said = new TextDecoder().decode(result.stdout)
      return problems(said, { name, macs: nets.map(({ mac }) => mac).join(' '), askedAt, seen })
    }),
  )
  const reach = (await cluster.checkReach()).filter(({ ok }) => !ok)
  return [...answers.flat(), ...reach.map(({ from, address }) => `${from} does not reach ${address}`)]
}

/** What is wrong with a guest that gave this answer. Pure, except that it adds to `seen`. */
export function problems(
  said: string,
  { name, macs, askedAt, seen }: { name: string; macs: string; askedAt: number; seen: Set<string> },
): string[] {
  const [machineId = '', uuid = '', urandom = '', hostname, time, addresses] = said.trim().split('\n')
  const twice = Object.entries({ machineId, uuid, urandom }).flatMap(([what, value]) => {
    if (!/^[0-9a-f-]{32,36}$/.test(value)) return [`${name} has no ${what}: '${value}'`]
    if (seen.has(value)) return [`${name} has the same ${what} as another node: ${value}`]
    seen.add(value)
    return []
  })
  // The guest read its clock some time between the question and now.
  const off = Math.max(askedAt / 1000 - Number(time), Number(time) - Date.now() / 1000)
  return [
    ...twice,
    ...(hostname === name ? [] : [`${name} is called ${hostname}`]),
    ...(off <= clockTolerance ? [] : [`the clock of ${name} is off by ${off.toFixed(0)} s`]),
    ...(addresses === macs ? [] : [`${name} has ${addresses}, not ${macs}`]),
  ]
}
