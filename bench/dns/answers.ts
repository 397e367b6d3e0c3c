import { built } from '../built.ts'
import { addressOf, missAddress, missOf, nameOf } from './zone.ts'

export interface Asking {
  readonly port: number
  readonly name: string
  readonly tcp?: boolean
  readonly timeoutMs?: number
}

/** The addresses that a server gives for a name; undefined when it does not answer. */
export async function addressesOf({
  port,
  name,
  tcp = false,
  timeoutMs = 2000,
}: Asking): Promise<string[] | undefined> {
  const { lookUp, describeAnswer } = await built('dns')
  try {
    const answer = describeAnswer(await lookUp({ name, server: `127.0.0.1:${port}`, tcp, timeoutMs }))
    if (answer?.rcode !== 'NOERROR') return undefined
    return answer.records
      .filter(({ section, type }) => section === 'answer' && type === 'A')
      .map(({ data }) => data)
  } catch {
    return undefined
  }
}

/** Queries some of the names that the load queries at the same time, and returns what is wrong. */
export async function checkAnswers(
  port: number,
  { among, tcp }: { among: number; tcp: boolean },
): Promise<string[]> {
  const wrong: string[] = []
  for (let i = 0; i < among; i += Math.ceil(among / 50)) {
    const got = await addressesOf({ port, name: nameOf(i), tcp })
    if (got?.join() !== addressOf(i))
      wrong.push(`${nameOf(i)} is ${got?.join() ?? 'not answered'}, not ${addressOf(i)}`)
  }
  return wrong
}

/** The same for names that are new to the server. */
export async function checkMisses(port: number, label: string): Promise<string[]> {
  const wrong: string[] = []
  for (let i = 0; i < 20; i++) {
    const got = await addressesOf({ port, name: missOf(label, i) })
    if (got?.join() !== missAddress)
      wrong.push(`${missOf(label, i)} is ${got?.join() ?? 'not answered'}, not ${missAddress}`)
  }
  return wrong
}
