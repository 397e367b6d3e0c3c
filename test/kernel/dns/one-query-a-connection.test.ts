import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'dns-packet'
import { expect } from 'vitest'
import { openResolver, type Resolver } from '../../../src/dns/index.ts'
import { query } from '../../support/dns-upstream.ts'
import { test } from '../../support/leaks.ts'
import { startNsd } from '../../support/nsd.ts'

/** The Rcodes of 60 questions whose answers need TCP, ten at once. */
async function askMany(resolver: Resolver): Promise<string[]> {
  const names = Array.from({ length: 60 }, (_, i) => `a${i}.long.example`)
  const rcodes: string[] = []
  const worker = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const asker = { transport: 'tcp', address: '127.0.0.1', port: 40_000 } as const
      const answer = await resolver.resolve(query(name, { type: 'TXT' }), asker)
      const { rcode, answers } = decode(Buffer.from(answer!)) as unknown as {
        rcode: string
        answers: unknown[]
      }
      rcodes.push(`${rcode} ${answers.length}`)
    }
  }
  await Promise.all(Array.from({ length: 10 }, worker))
  return rcodes
}

test('an nsd that closes after each answer costs no question its answer, with use-vc and without', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'one-query-'))
  await using nsd = await startNsd('tcp-query-count: 1')
  const [, port] = nsd.address.split(':')
  for (const options of ['', 'options use-vc']) {
    const resolvConf = join(folder, 'resolv.conf')
    await writeFile(resolvConf, `nameserver 127.0.0.1:${port}\n${options}\n`)
    await using resolver = openResolver({ resolvConf, mainNamespace: true, loopCheck: false })
    expect(await askMany(resolver)).toEqual(Array.from({ length: 60 }, () => 'NOERROR 60'))
    expect(resolver.upstreams()).toMatchObject([{ healthy: true, overTcp: 60 }])
  }
  await rm(folder, { recursive: true })
})
