import { unlessAborted } from '../../base/index.ts'
import { aborted } from '../errors.ts'
import { openResolver } from '../forwarder/forwarder.ts'
import type { ResolverOptions } from '../forwarder/options.ts'
import { take } from '../takes.ts'
import { Rcode, Type } from '../wire/constants.ts'
import { readMessage } from '../wire/message.ts'
import { nameBytes } from '../wire/name.ts'
import { keyOf, questionOf, writeQuestion } from '../wire/question.ts'

/**
 * True when the upstreams know the name: it has records, or there are names below it. False also when none of
 * them answers. Names that are answered locally, of `hostsFile` too, do not count. Aborting `signal` ends the
 * wait: DNS_ABORTED.
 */
export async function existsUpstream(
  name: string,
  where: ResolverOptions & { readonly signal?: AbortSignal },
): Promise<boolean> {
  take('look for name', name, ['text', 'name'])
  const { hostsFile: _, ...options } = take('look for name', where, 'existence')
  const wire = nameBytes(name)
  if (wire === undefined) return false
  const question = questionOf(keyOf(wire, Type.SOA))
  const query = writeQuestion(question, { id: 0, edns: true, ad: false, capitals: undefined })
  await using resolver = openResolver({ ...options, loopCheck: false, notice: () => {} })
  // The transport does not limit the answer.
  const answer = resolver.resolve(query, { transport: 'tcp', address: '127.0.0.1', port: 0 })
  const bytes = await unlessAborted(answer, options.signal, reason => aborted('look for', name, reason))
  return bytes !== undefined && readMessage(Buffer.from(bytes))?.rcode === Rcode.NOERROR
}
