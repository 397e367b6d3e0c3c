/** What the words that a guest's kernel does not know tell its init (guest/init). */
export interface KernelArgs {
  /** `mtu1=9000`: by net. */
  readonly mtus: ReadonlyMap<number, number>
  /** `xcluster_PREFIX=fd00:`. */
  readonly prefix: string
  /** `xcluster_NAME=value` reaches login shells as NAME, in this order. */
  readonly exports: readonly (readonly [name: string, value: string])[]
}

/** Reads a kernel command line as init does: of words that say the same, the last one wins. */
export function kernelArgs(commandLine: string): KernelArgs {
  const words = commandLine.split(/\s+/)
  const exports = words
    .filter(word => !word.includes("'")) // init could not quote it
    .flatMap(word => {
      const [, name, value] = /^xcluster_([^=]*)=(.*)$/.exec(word) ?? []
      return name !== undefined && value !== undefined ? [[name, value] as const] : []
    })
  const mtus = words.flatMap(word => {
    const [, net, mtu] = /^mtu(\d+)=(\d+)$/.exec(word) ?? []
    return net !== undefined ? [[Number(net), Number(mtu)] as const] : []
  })
  const prefix = exports.findLast(([name]) => name === 'PREFIX')?.[1]
  return { mtus: new Map(mtus), prefix: prefix || 'fd00:', exports }
}
