/** The parameters on a guest's kernel command line that its init reads (guest/init). */
export interface KernelArgs {
  /** From `mtu1=9000`: the MTU by net. */
  readonly mtus: ReadonlyMap<number, number>
  /** From `xcluster_PREFIX=fd00:`. */
  readonly prefix: string
  /** From `xcluster_NAME=value`: environment variables of login shells, in this order. */
  readonly exports: readonly (readonly [name: string, value: string])[]
}

/** Reads a kernel command line as init does: the last of several words for one parameter counts. */
export function kernelArgs(commandLine: string): KernelArgs {
  const words = commandLine.split(/\s+/)
  const exports = words
    .filter(word => !word.includes("'")) // init cannot quote it
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
