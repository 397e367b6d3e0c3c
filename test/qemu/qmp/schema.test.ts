import { expect } from 'vitest'
import { readSchema, versions } from '../../../scripts/qmp/generate.js'
import { bareQemu, endBare } from '../../support/bare-qemu.ts'
import { Introspection } from '../../support/introspection.ts'
import { test } from '../../support/leaks.ts'

/** `npm test` runs this with the QEMU of this machine, and with those of other Debians (test/ground). */
test('what QEMU says of its own commands and events is what the types of its version have', async ({
  skip,
}) => {
  const qemu = await bareQemu()
  try {
    const { major, minor } = qemu.client.version!.qemu
    const version = `${major}.${minor}`
    skip(!versions.includes(version), `there is no schema of QEMU ${version}`)
    const entries = await qemu.client.execute('query-qmp-schema')
    const introspection = new Introspection(entries, readSchema('qemu', version).schema)
    expect(introspection.compare()).toBeGreaterThan(200)
    expect(introspection.differences).toEqual([])
  } finally {
    await endBare(qemu)
  }
})
