/** More names than any job has: brackets multiply. */
const most = 65_536

/** A name, parts of which are lists of numbers in brackets. */
const pattern = /(?:[^,[\]\s]|\[[^[\]]*\])+/

/**
 * The names of Slurm's list of hosts, in its order: `n[1-3,07],login` gives `n1`, `n2`, `n3`, `n07` and `login`. Several
 * brackets in one name multiply, the last one fastest. Undefined for a list that is malformed, or longer than 65,536.
 * (Slurm, src/common/hostlist.c)
 */
export function hostlist(text: string): string[] | undefined {
  if (!new RegExp(`^${pattern.source}(?:,${pattern.source})*$`).test(text)) return undefined
  const names: string[] = []
  for (const [part] of text.matchAll(new RegExp(pattern, 'g'))) {
    const expanded = expand(part)
    if (expanded === undefined || names.length + expanded.length > most) return undefined
    names.push(...expanded)
  }
  return names
}

function expand(part: string): string[] | undefined {
  let names = ['']
  for (const [at, text] of part.split(/[[\]]/).entries()) {
    const ends = at % 2 === 0 ? [text] : numbers(text)
    if (ends === undefined || names.length * ends.length > most) return undefined
    names = names.flatMap(name => ends.map(end => `${name}${end}`))
  }
  return names
}

/**
 * Numbers and ranges as texts, with the zeros that they begin with: `1-3,07`. Undefined when they are malformed, or more
 * than 65,536.
 */
export function numbers(text: string): string[] | undefined {
  const found: string[] = []
  for (const range of text.split(',')) {
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range) ?? []
    if (first === undefined || last === undefined) return undefined
    const count = Number(last) - Number(first) + 1
    if (count < 1 || found.length + count > most) return undefined
    for (let n = 0; n < count; n++) found.push(String(Number(first) + n).padStart(first.length, '0'))
  }
  return found
}
