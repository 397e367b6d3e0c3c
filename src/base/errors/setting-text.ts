/**
 * Names a setting in the text of an error or notice, with a value where one is meant. A program reads `hostNets` and
 * `fabric: 'user'`; `xc` prints --host-nets and --fabric user ({@link withOptions}).
 */
export function settingText(key: string, value?: string): string {
  return value === undefined ? `\`${key}\`` : `\`${key}: '${value}'\``
}

/** Names a call of a cluster in the text of an error. A program reads `resume([2])`, and `xc` prints xc resume 2. */
export function callText(verb: string, node: number): string {
  return `\`${verb}([${node}])\``
}

/** `netsVm` → `--nets-vm`, `mem3` → `--mem3`. */
export function optionOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

/**
 * The text with options and commands of `xc` in place of what {@link settingText} and {@link callText} have put there.
 * `rest` ends each command: `--name big`.
 */
export function withOptions(text: string, rest = ''): string {
  const typed = text.replace(/`(\w+)\(\[(\d+)\]\)`/g, (_, verb: string, node: string) =>
    ['xc', verb, node, rest].filter(Boolean).join(' '),
  )
  return typed.replace(/`([a-z]\w*)(?:: '([^'`]*)')?`/gi, (_, key: string, value?: string) =>
    value === undefined ? optionOf(key) : `${optionOf(key)} ${value}`,
  )
}
