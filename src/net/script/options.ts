/** One QEMU option: `-netdev tap,id=net1,ifname=t1`. */
export interface QemuOption {
  /** Without its dashes: `netdev`. */
  readonly name: string
  readonly value: string | undefined
}

/** Groups words into options as QEMU does. When a word belongs to no option, it returns that word instead. */
export function readOptions(words: readonly string[]): { options: QemuOption[] } | { stray: string } {
  const options: QemuOption[] = []
  for (let at = 0; at < words.length; at++) {
    const [, name] = /^--?([a-zA-Z][\w-]*)$/.exec(words[at]!) ?? []
    if (name === undefined) return { stray: words[at]! }
    const next = words[at + 1]
    const value = next?.startsWith('-') ? undefined : next
    if (value !== undefined) at++
    options.push({ name, value })
  }
  return { options }
}

export function printOption({ name, value }: QemuOption): string[] {
  return value === undefined ? [`-${name}`] : [`-${name}`, value]
}

/** The parsed value of an option: `tap,id=net1` is a `tap` with `id`. A doubled comma does not end a value. */
export interface Described {
  readonly kind: string
  readonly keys: ReadonlyMap<string, string>
}

export function describe(value: string): Described {
  const [kind = '', ...pairs] = value.split(/(?<!,),(?!,)/)
  const keys = pairs.map(pair => {
    const [, key, text] = /^([^=]*)(?:=(.*))?$/.exec(pair)!
    return [key!, text ?? 'on'] as const
  })
  return { kind, keys: new Map(keys) }
}

export function printDescribed({ kind, keys }: Described): string {
  return [kind, ...Array.from(keys, ([key, text]) => `${key}=${text}`)].join(',')
}
